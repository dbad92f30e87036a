import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// The operator as a process against an API server over TLS, while tokens and authorities rotate
    /// (docs/kubernetes-client.md, lines 12 and 13).
    @Suite(.timeLimit(.minutes(3))) struct SecureClusterTests {
        /// What the API server shows, and what is mounted into a pod: files behind a link that is switched over as a whole.
        private struct Scene {
            let workshop: CertificateWorkshop
            let api: KubeAPISimulator
            let directory: TemporaryDirectory

            init(hosts: [String] = ["IP:127.0.0.1"], listensOn host: String = "127.0.0.1", token: String? = "one") async throws {
                workshop = try await CertificateWorkshop()
                directory = try TemporaryDirectory(named: "secure")
                let (certificate, key) = try await workshop.issue("server", hosts: hosts)
                let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .deletingLastPathComponent().path()
                let file = "\(root)helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml"
                api = try KubeAPISimulator(
                    host: host, token: token,
                    tls: TLSFiles(certificate: certificate, key: key, clientAuthority: workshop.authority),
                    definitions: JSONValue.documents(yaml: String(contentsOfFile: file, encoding: .utf8)))
                try create("a")
            }

            func create(_ id: String) throws {
                let call = CallManifest(id: id, streams: [.init(port: 10_000, workerPort: 30_000)])
                for document in try JSONValue.documents(yaml: call.yaml) { try api.create(document) }
            }

            /// Replaces all files at once, as the kubelet does: a new directory, and a link renamed over the old one.
            func mount(_ files: [String: String]) throws {
                let version = "..\(UUID().uuidString)"
                let manager = FileManager.default
                try manager.createDirectory(atPath: path(version), withIntermediateDirectories: true)
                for (name, text) in files {
                    try text.write(toFile: path("\(version)/\(name)"), atomically: false, encoding: .utf8)
                    if !manager.fileExists(atPath: path(name)) {
                        try? manager.removeItem(atPath: path(name))
                        try manager.createSymbolicLink(atPath: path(name), withDestinationPath: "..data/\(name)")
                    }
                }
                try manager.createSymbolicLink(atPath: path("..new"), withDestinationPath: version)
                guard rename(path("..new"), path("..data")) == 0 else { throw SystemError("rename ..data") }
            }

            func path(_ name: String) -> String { directory.path(of: name) }

            var authority: String { get throws { try String(contentsOfFile: workshop.authority, encoding: .utf8) } }

            /// Starts the operator by a kubeconfig with these members of `cluster` and `user`.
            func start(cluster: String, user: String) async throws -> OperatorProcess {
                try """
                {current-context: a, clusters: [{name: a, cluster: {server: "\(api.url)", \(cluster)}}],
                users: [{name: a, user: {\(user)}}], contexts: [{name: a, context: {cluster: a, user: a}}]}
                """.write(toFile: path("kubeconfig"), atomically: true, encoding: .utf8)
                return try await OperatorProcess.start(source: ["--kubeconfig", path("kubeconfig")])
            }

            /// The members that name the mounted files.
            var mounted: (cluster: String, user: String) {
                ("certificate-authority: \(path("ca.crt"))", "tokenFile: \(path("token"))")
            }
        }

        /// Waits until the operator knows so many objects, and returns its metrics.
        @discardableResult
        private func metrics(of xdsOperator: OperatorProcess, virtualServices count: Int) async throws -> String {
            do {
                return try await eventually("\(count) objects", within: .seconds(30)) {
                    let text = try await httpGet("/metrics", from: xdsOperator.metrics).body
                    return text.contains("xds_operator_virtualservices \(count)\n") ? .met(text) : .unmet(text)
                }
            } catch {
                throw ProcessFailure(error, [xdsOperator.child])
            }
        }

        @Test func `12 a token that was refused is read again, and no event is lost`() async throws {
            let scene = try await Scene()
            try scene.mount(["token": "one", "ca.crt": scene.authority])
            let xdsOperator = try await scene.start(cluster: scene.mounted.cluster, user: scene.mounted.user)
            try await xdsOperator.awaitReady()
            try await metrics(of: xdsOperator, virtualServices: 1)

            scene.api.allow(token: "two", user: "system:admin")
            scene.api.revoke(token: "one")
            try scene.mount(["token": "two", "ca.crt": scene.authority])
            try await scene.api.goDown()
            try scene.create("b")
            try await scene.api.comeBack()
            let text = try await metrics(of: xdsOperator, virtualServices: 2)
            // The old token was tried, and the watch went on from where it was.
            #expect(scene.api.requests.value.count(status: 401) >= 1)
            #expect(text.contains("xds_operator_watch_relists_total{resource=\"virtualservices\"} 0\n"), "\(text)")
            #expect(!xdsOperator.child.output.contains("does not accept the credentials"))
        }

        @Test func `12 an authority that rotates is believed once its file says so`() async throws {
            let scene = try await Scene()
            try scene.mount(["token": "one", "ca.crt": scene.authority])
            let xdsOperator = try await scene.start(cluster: scene.mounted.cluster, user: scene.mounted.user)
            try await xdsOperator.awaitReady()

            let successor = try await CertificateWorkshop()
            let (certificate, key) = try await successor.issue("server", hosts: ["IP:127.0.0.1"])
            try scene.api.rotateTLS(to: TLSFiles(certificate: certificate, key: key))
            try await scene.api.restart()
            try scene.create("b")
            _ = try await xdsOperator.child.line("a refusal of the server's certificate") {
                $0.contains("certificate") && $0.contains("trying again") ? $0 : nil
            }
            try scene.mount(["token": "one", "ca.crt": String(contentsOfFile: successor.authority, encoding: .utf8)])
            try await metrics(of: xdsOperator, virtualServices: 2)
        }

        @Test func `12 an empty authority file is an error, until it is filled`() async throws {
            let scene = try await Scene()
            try scene.mount(["token": "one", "ca.crt": ""])
            let xdsOperator = try await scene.start(cluster: scene.mounted.cluster, user: scene.mounted.user)
            _ = try await xdsOperator.child.line("the error") {
                $0.contains("ca.crt is empty: it must hold the certificate authority") ? $0 : nil
            }
            #expect(scene.api.requests.value.count() == 0)
            try scene.mount(["token": "one", "ca.crt": scene.authority])
            try await metrics(of: xdsOperator, virtualServices: 1)
        }

        @Test func `13 a server with an IPv6 address`() async throws {
            let scene = try await Scene(hosts: ["IP:::1"], listensOn: "::1")
            #expect(scene.api.url.hasPrefix("https://[::1]:"))
            try scene.mount(["token": "one", "ca.crt": scene.authority])
            let xdsOperator = try await scene.start(cluster: scene.mounted.cluster, user: scene.mounted.user)
            try await metrics(of: xdsOperator, virtualServices: 1)
        }

        @Test func `13 a program makes the token, again after a refusal`() async throws {
            let scene = try await Scene()
            try "one".write(toFile: scene.path("secret"), atomically: true, encoding: .utf8)
            let script = """
                echo x >> \(scene.path("runs"))
                echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'$(cat \(scene.path("secret")))'"}}'
                """
            try script.write(toFile: scene.path("login"), atomically: true, encoding: .utf8)
            let xdsOperator = try await scene.start(
                cluster: "certificate-authority: \(scene.workshop.authority)",
                user: "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [\(scene.path("login"))], "
                    + "interactiveMode: Never}")
            try await metrics(of: xdsOperator, virtualServices: 1)
            #expect(try String(contentsOfFile: scene.path("runs"), encoding: .utf8) == "x\n")
            scene.api.allow(token: "two", user: "system:admin")
            scene.api.revoke(token: "one")
            try "two".write(toFile: scene.path("secret"), atomically: true, encoding: .utf8)
            try await scene.api.restart()
            try scene.create("b")
            try await metrics(of: xdsOperator, virtualServices: 2)
        }

        @Test func `13 a client certificate alone proves who we are`() async throws {
            let scene = try await Scene(token: nil)
            let (certificate, key) = try await scene.workshop.issue("operator")
            let xdsOperator = try await scene.start(
                cluster: "certificate-authority: \(scene.workshop.authority)",
                user: "client-certificate: \(certificate), client-key: \(key)")
            try await metrics(of: xdsOperator, virtualServices: 1)
        }

        @Test func `13 the server's name may be another than its address`() async throws {
            let scene = try await Scene(hosts: ["DNS:api.internal"])
            let authority = "certificate-authority: \(scene.workshop.authority)"
            let named = try await scene.start(cluster: "\(authority), tls-server-name: api.internal", user: "token: one")
            try await metrics(of: named, virtualServices: 1)
            let misled = try await scene.start(cluster: authority, user: "token: one")
            _ = try await misled.child.line("a refusal of the server's certificate") {
                $0.contains("can't") && $0.contains("SSL") && $0.contains("trying again") ? $0 : nil
            }
            let careless = try await scene.start(cluster: "insecure-skip-tls-verify: true", user: "token: one")
            try await metrics(of: careless, virtualServices: 1)
        }
    }
}
