import Foundation
import KubeAPISimulator
import TestKit
import Testing

/// kubectl over TLS: it sends tokens only so.
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private let workshop: CertificateWorkshop
    private let directory: TemporaryDirectory

    init() async throws {
        workshop = try await CertificateWorkshop()
        directory = try TemporaryDirectory(named: "tls")
    }

    private func simulator(token: String? = nil, asksForCertificates: Bool = false) async throws -> KubeAPISimulator {
        let (certificate, key) = try await workshop.issue("server", hosts: ["IP:127.0.0.1"])
        let simulator = try KubeAPISimulator(
            token: token,
            tls: TLSFiles(
                certificate: certificate, key: key, clientAuthority: asksForCertificates ? workshop.authority : nil),
            definitions: [try virtualServiceDefinition()])
        try simulator.create(pod("a"))
        return simulator
    }

    private func kubectl(_ kubeconfig: String, _ arguments: String...) async throws -> (isFine: Bool, output: String) {
        try kubeconfig.write(toFile: directory.path(of: "kubeconfig"), atomically: true, encoding: .utf8)
        let (end, output) = try await ChildProcess.run(
            ["\(packageRoot)/.venv/bin/kubectl"] + arguments,
            environment: ["KUBECONFIG": directory.path(of: "kubeconfig"), "HOME": directory.path, "KUBECTL_KUBERC": "false"])
        return (end == .exited(0), output)
    }

    private func kubeconfig(_ simulator: KubeAPISimulator, user: String) -> String {
        """
        {current-context: a, clusters: [{name: a, cluster: {server: "\(simulator.url)",
        certificate-authority: \(workshop.authority)}}], users: [{name: a, user: \(user)}],
        contexts: [{name: a, context: {cluster: a, user: a}}]}
        """
    }

    @Test func tokensLetKubectlIn() async throws {
        let simulator = try await simulator(token: "secret")
        #expect(simulator.url.hasPrefix("https://"))
        let list = try await kubectl(simulator.kubeconfig(), "get", "pods", "-o", "name")
        #expect(list.isFine && list.output.contains("pod/a"), "\(list.output)")
        let refused = try await kubectl(simulator.kubeconfig(token: "wrong"), "get", "pods")
        #expect(!refused.isFine && refused.output.contains("must be logged in"), "\(refused.output)")
    }

    @Test func certificatesNameUsers() async throws {
        let simulator = try await simulator(asksForCertificates: true)
        let (certificate, key) = try await workshop.issue("alice")
        let files = "{client-certificate: \(certificate), client-key: \(key)}"
        let list = try await kubectl(kubeconfig(simulator, user: files), "get", "pods", "-o", "name")
        #expect(list.isFine && list.output.contains("pod/a"), "\(list.output)")
        simulator.deny([Denial(verb: "list", resource: "pods", user: "alice")])
        let denied = try await kubectl(kubeconfig(simulator, user: files), "get", "pods")
        #expect(!denied.isFine && denied.output.contains("User \"alice\" cannot list"), "\(denied.output)")
        let nobody = try await kubectl(kubeconfig(simulator, user: "{}"), "get", "pods")
        #expect(!nobody.isFine, "\(nobody.output)")
    }

    @Test func certificatesOfStrangersAreRefused() async throws {
        let simulator = try await simulator(token: "secret", asksForCertificates: true)
        let (certificate, key) = try await CertificateWorkshop().issue("mallory")
        let files = "{client-certificate: \(certificate), client-key: \(key), token: secret}"
        let refused = try await kubectl(kubeconfig(simulator, user: files), "get", "pods")
        #expect(!refused.isFine, "\(refused.output)")
    }

    @Test func newConnectionsUseRotatedFiles() async throws {
        let simulator = try await simulator(token: "secret")
        let other = try await CertificateWorkshop()
        let (certificate, key) = try await other.issue("server", hosts: ["IP:127.0.0.1"])
        let old = kubeconfig(simulator, user: "{token: secret}")
        #expect(try await kubectl(old, "get", "pods").isFine)
        try simulator.rotateTLS(to: TLSFiles(certificate: certificate, key: key))
        let refused = try await kubectl(old, "get", "pods")
        #expect(!refused.isFine && refused.output.contains("certificate"), "\(refused.output)")
        #expect(try await kubectl(simulator.kubeconfig(), "get", "pods").isFine)
    }

    @Test func plainTextIsNoTLS() async throws {
        let simulator = try await simulator()
        let client = try StreamClient(simulator.address, "/api")
        #expect(try await !client.waitForClose().contains("HTTP/1.1 200"))
    }

    @Test func wrongFilesAreNamed() async throws {
        let (certificate, _) = try await workshop.issue("server", hosts: ["IP:127.0.0.1"])
        let error = #expect(throws: TLSError.self) {
            try KubeAPISimulator(tls: TLSFiles(certificate: certificate, key: workshop.authority))
        }
        #expect(error?.description.contains("use the key \(workshop.authority)") == true, "\(error?.description ?? "")")
    }
}
