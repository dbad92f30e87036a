import Foundation
import KubernetesClient
import Testing

/// Requirement 13: kubeconfig files and the environment of a pod.
@Suite struct KubeconfigTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private func configuration(_ cluster: String, user: String = "{}", context: String? = nil) throws -> ClusterConfiguration {
        let workshop = try Workshop()
        let path = try workshop.write(
            "config",
            """
            apiVersion: v1
            kind: Config
            current-context: here
            clusters: [{name: c, cluster: \(cluster)}]
            users: [{name: u, user: \(user)}]
            contexts:
            - {name: here, context: {cluster: c, user: u, namespace: calls}}
            - {name: bare, context: {cluster: c}}
            """)
        return try Kubeconfig.configuration(paths: [path], context: context)
    }

    @Test func `13 inline certificates and a token`() throws {
        let result = try configuration(
            "{server: 'https://api.example:6443/k/', certificate-authority-data: \(base64(Self.certificate)), tls-server-name: real, proxy-url: 'http://proxy:3128'}",
            user: "{token: abc, client-certificate-data: \(base64(Self.certificate)), client-key-data: \(base64(Self.key))}")
        #expect(result.server == ServerURL(host: "api.example", port: 6443, basePath: "/k"))
        #expect(result.authority == .inline(Array(Self.certificate.utf8)))
        #expect(result.tlsServerName == "real")
        #expect(result.proxy == "http://proxy:3128")
        #expect(result.user.token == .inline(Array("abc".utf8)))
        #expect(result.user.certificate == .inline(Array(Self.certificate.utf8)))
        #expect(result.user.key == .inline(Array(Self.key.utf8)))
        #expect(result.namespace == "calls")
    }

    @Test func `13 files are relative to the kubeconfig, and a tokenFile wins over a token`() throws {
        let workshop = try Workshop()
        let path = try workshop.write(
            "config",
            """
            {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
             "clusters": [{"name": "c", "cluster": {"server": "https://[::1]", "certificate-authority": "ca.crt"}}],
             "users": [{"name": "u", "user": {"tokenFile": "/run/token", "token": "t", "client-certificate": "a.crt", "client-key": "a.key"}}]}
            """)
        let result = try Kubeconfig.configuration(paths: [path])
        #expect(result.server == ServerURL(host: "::1", port: 443))
        #expect(result.authority == .file(workshop.path("ca.crt")))
        #expect(result.user.token == .file("/run/token"))
        #expect(result.user.certificate == .file(workshop.path("a.crt")))
        #expect(result.user.key == .file(workshop.path("a.key")))
    }

    @Test func `13 exec plugins`() throws {
        let exec =
            "{apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [-v], env: [{name: A, value: b}], installHint: get it, interactiveMode: Never, provideClusterInfo: true}"
        let result = try #require(try configuration("{server: 'https://a'}", user: "{exec: \(exec)}").user.exec)
        #expect(result.command.hasSuffix("/./login"))
        #expect(result.arguments == ["-v"])
        #expect(result.environment.map { "\($0.name)=\($0.value)" } == ["A=b"])
        #expect(result.installHint == "get it" && result.providesClusterInfo)
    }

    @Test func `13 another context, insecure`() throws {
        let result = try configuration(
            "{server: 'http://a:80', insecure-skip-tls-verify: true}", user: "{token: t}", context: "bare")
        #expect(result.isInsecure && result.user == UserConfiguration() && result.namespace == nil)
    }

    @Test func `13 of several files the first wins`() throws {
        let workshop = try Workshop()
        let first = try workshop.write("one", "clusters: [{name: c, cluster: {server: 'https://one'}}]\ncurrent-context: x\n")
        let second = try workshop.write(
            "two",
            "clusters: [{name: c, cluster: {server: 'https://two'}}]\ncontexts: [{name: x, context: {cluster: c}}]\ncurrent-context: y\n"
        )
        let paths = Kubeconfig.paths(environmentValue: "\(first):\(workshop.path("missing")):\(second)")
        #expect(try Kubeconfig.configuration(paths: paths).server.host == "one")
    }

    @Test(arguments: [
        ("{}", "{}", "server must be a URL"),
        ("{server: 'ftp://a'}", "{}", "server must be a URL"),
        ("{server: 'https://a', certificate-authority-data: '!!'}", "{}", "certificate-authority-data"),
        ("{server: 'https://a', certificate-authority-data: YQ==}", "{}", "holds no certificate in PEM"),
        ("{server: 'https://a', certificate-authority: x, insecure-skip-tls-verify: true}", "{}", "exclude each other"),
        ("{server: 'https://a', insecure-skip-tls-verify: maybe}", "{}", "must be true or false"),
        ("{server: 'https://a'}", "{client-certificate: x}", "go together"),
        ("{server: 'https://a'}", "{token: \"a\\nb\"}", "holds no token"),
        ("{server: 'https://a'}", "{auth-provider: {name: gcp}}", "auth-provider is not supported"),
        (
            "{server: 'https://a'}", "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}",
            "exec.apiVersion must be"
        ),
        (
            "{server: 'https://a'}", "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}}",
            "there is nobody to answer"
        ),
    ])
    func `13 what can't be used is said`(cluster: String, user: String, message: String) {
        let error = #expect(throws: ClusterConfigurationError.self) { try configuration(cluster, user: user) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `13 an unknown context names those that there are`() {
        let error = #expect(throws: ClusterConfigurationError.self) {
            try configuration("{server: 'https://a'}", context: "other")
        }
        #expect(error?.description.contains("no context other; it has bare, here") == true)
    }

    @Test func `13 a missing file`() {
        let error = #expect(throws: ClusterConfigurationError.self) { try Kubeconfig.configuration(paths: ["/nowhere/config"]) }
        #expect(error?.description == "can't read /nowhere/config: No such file or directory")
    }

    @Test(arguments: [
        ("10.0.0.1", "443", "https://10.0.0.1:443"), ("fd00::1", "6443", "https://[fd00::1]:6443"),
        ("[fd00::1]", "6443", "https://[fd00::1]:6443"),
    ])
    func `13 in a pod, the host may be IPv6`(host: String, port: String, url: String) throws {
        let environment = ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port]
        let result = try InCluster.configuration(environment: environment, directory: "/d")
        #expect(result.server.description == url)
        #expect(result.authority == .file("/d/ca.crt"))
        #expect(result.user.token == .file("/d/token"))
    }

    @Test func `13 outside a pod`() {
        let error = #expect(throws: ClusterConfigurationError.self) { try InCluster.configuration(environment: [:]) }
        #expect(error?.description.contains("--kubeconfig or --manifests") == true)
    }
}
