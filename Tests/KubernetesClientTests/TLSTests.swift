import Foundation
import Kubernetes
import KubernetesClient
import TestKit
import Testing

/// Requirements 12 and 13 as far as TLS goes, against `openssl s_server`, whose page tells about the handshake.
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    /// An authority, a certificate for `api.internal` and one for a client.
    private struct Authority {
        let workshop: Workshop

        init() async throws {
            workshop = try Workshop()
            try await workshop.openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
                "ca.crt",
                "-subj", "/CN=authority", "-days", "2")
            try await issue("server", "subjectAltName=DNS:api.internal")
            try await issue("client", "extendedKeyUsage=clientAuth")
        }

        private func issue(_ name: String, _ extensions: String) async throws {
            try await workshop.openssl(
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(name).key", "-out",
                "\(name).csr",
                "-subj", "/CN=\(name)")
            try workshop.write("\(name).ext", extensions)
            try await workshop.openssl(
                "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out",
                "\(name).crt", "-extfile", "\(name).ext")
        }

        /// A server, and its port.
        func serve(_ arguments: String...) async throws -> (ChildProcess, UInt16) {
            let process = try await ChildProcess.start(
                name: "s_server",
                [
                    "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", workshop.path("server.crt"),
                    "-key",
                    workshop.path("server.key"),
                ] + arguments)
            let port = try await process.progress.wait(for: "the port of s_server", within: .seconds(20)) { progress in
                progress.lines.first { $0.hasPrefix("ACCEPT 127.0.0.1:") }.flatMap { UInt16($0.dropFirst(17)) }
            }
            return (process, port)
        }

        func get(_ port: UInt16, _ change: (inout ClusterConfiguration) -> Void) async throws -> String {
            var cluster = ClusterConfiguration(server: ServerURL(host: "127.0.0.1", port: port))
            cluster.authority = .file(workshop.path("ca.crt"))
            cluster.tlsServerName = "api.internal"
            change(&cluster)
            let client = CurlAPIClient(cluster: cluster, loop: try CurlLoop())
            return String(decoding: try await client.send(APIRequest(.get, "/")).body, as: UTF8.self)
        }
    }

    @Test func `13 tls-server-name is asked for and verified, a client certificate is shown`() async throws {
        let authority = try await Authority()
        let (server, port) = try await authority.serve(
            "-Verify", "1", "-CAfile", authority.workshop.path("ca.crt"), "-verify_return_error")
        defer { _ = server }
        let page = try await authority.get(port) {
            $0.user.certificate = .file(authority.workshop.path("client.crt"))
            $0.user.key = .file(authority.workshop.path("client.key"))
        }
        #expect(page.contains("s_server"))
        await #expect(throws: APITransportError.self) { _ = try await authority.get(port) { _ in } }
    }

    @Test func `13 the wrong name is refused unless TLS is insecure`() async throws {
        let authority = try await Authority()
        let (server, port) = try await authority.serve()
        defer { _ = server }
        for name in [nil, "other.internal"] {
            await #expect(throws: APITransportError.self) { _ = try await authority.get(port) { $0.tlsServerName = name } }
        }
        let page = try await authority.get(port) {
            $0.tlsServerName = nil
            $0.authority = nil
            $0.isInsecure = true
        }
        #expect(page.contains("s_server"))
    }

    @Test func `12 a server of another authority is refused, until the CA file rotates`() async throws {
        let authority = try await Authority()
        let stranger = try await Authority()
        let (server, port) = try await authority.serve()
        defer { _ = server }
        let workshop = try Workshop()
        try workshop.write("ca.crt", stranger.workshop.read("ca.crt"))
        await #expect(throws: APITransportError.self) {
            _ = try await authority.get(port) { $0.authority = .file(workshop.path("ca.crt")) }
        }
        try workshop.write("ca.crt", authority.workshop.read("ca.crt"))
        #expect(try await authority.get(port) { $0.authority = .file(workshop.path("ca.crt")) }.contains("s_server"))
    }
}
