import Domain
import Foundation
import Rendering
import Testing
import Yams

@Suite struct BootstrapTests {
    private static func options(_ address: String) throws -> BootstrapOptions {
        BootstrapOptions(xdsAddress: try #require(ServerAddress(address)))
    }

    /// What is printed starts an Envoy as it is, whichever options are given.
    @Test(arguments: ["127.0.0.1:18000", "[::1]:18000", "xds-operator.default.svc:18000"])
    func envoyAcceptsIt(_ address: String) throws {
        var options = try BootstrapTests.options(address)
        options.nodeID = "default/envoy \"0\"\\\n: é"
        options.adminPort = 9901
        options.api = address.hasPrefix("[") ? .sotw : .delta
        let (status, output) = try validate(bootstrap: Bootstrap.yaml(options))
        #expect(status == 0, "\(output)")
        #expect(!output.contains("[warning]"), "\(output)")
    }

    /// Envoy reads all the files while it checks.
    @Test(arguments: ["127.0.0.1:18000", "[::1]:18000", "xds-operator.default.svc:18000"], [true, false])
    func envoyAcceptsTLS(_ address: String, showsCertificate: Bool) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tls \(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let openssl = try Process.run(
            URL(filePath: "/usr/bin/openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=pod", "-keyout",
                "\(directory)/tls.key", "-out", "\(directory)/tls.crt",
            ])
        openssl.waitUntilExit()
        try FileManager.default.copyItem(atPath: "\(directory)/tls.crt", toPath: "\(directory)/ca.crt")
        var options = try BootstrapTests.options(address)
        options.nodeID = "pod"
        let tls = BootstrapTLS(
            certificateDirectory: directory, resourceDirectory: directory, showsCertificate: showsCertificate)
        options.tls = tls
        for (path, text) in tls.resourceFiles { try Data(text.utf8).write(to: URL(filePath: path)) }
        #expect(tls.resourceFiles.count == (showsCertificate ? 2 : 1))
        let text = Bootstrap.yaml(options)
        #expect(text.contains("sni: \"xds-operator.default.svc\"") == address.hasPrefix("xds"))
        let (status, output) = try validate(bootstrap: text)
        #expect(status == 0, "\(output)")
        #expect(!output.contains("[warning]"), "\(output)")
    }

    @Test func withoutNodeIDItIsForTheCommandLine() throws {
        let text = try Bootstrap.yaml(BootstrapTests.options("127.0.0.1:18000"))
        #expect(text.contains("--service-node"))
        #expect(try validate(bootstrap: text).status != 0)
        let (status, output) = try validate(bootstrap: text, arguments: ["--service-node", "pod"])
        #expect(status == 0, "\(output)")
    }

    @Test func valuesSurviveQuoting() throws {
        for id in ["plain", "a \"b\" \\ c", "line\nbreak\u{2028}é😀", "# no: comment", ""] {
            var options = try BootstrapTests.options("127.0.0.1:1")
            options.nodeID = id
            options.nodeCluster = id
            let tree = try #require(Yams.load(yaml: Bootstrap.yaml(options)) as? [String: Any])
            #expect(tree["node"] as? [String: String] == ["id": id, "cluster": id])
        }
    }

    @Test func optionsShow() throws {
        var options = try BootstrapTests.options("127.0.0.1:18000")
        options.nodeCluster = nil
        let plain = Bootstrap.yaml(options)
        #expect(!plain.contains("node:"))
        #expect(!plain.contains("admin:"))
        #expect(plain.contains("api_type: DELTA_GRPC"))
        options.api = .sotw
        options.adminPort = 9901
        let other = Bootstrap.yaml(options)
        #expect(other.contains("api_type: GRPC"))
        #expect(other.contains("socket_address: {address: 127.0.0.1, port_value: 9901}"))
    }

    @Test(arguments: [
        ("127.0.0.1:18000", "127.0.0.1:18000"), ("[::1]:1", "[::1]:1"), ("[2001:DB8::0:1]:65535", "[2001:db8::1]:65535"),
        ("XDS.example:80", "xds.example:80"), ("localhost:18000", "localhost:18000"),
        ("::1:18000", nil), ("[127.0.0.1]:1", nil), ("127.0.0.1", nil), ("127.0.0.1:", nil), ("127.0.0.1:0", nil),
        ("127.0.0.1:65536", nil), ("127.0.0.1:+1", nil), (":18000", nil), ("10.0.0.256:1", nil), ("", nil), ("[::1]", nil),
        ("a b:1", nil),
    ])
    func serverAddresses(_ text: String, expected: String?) {
        #expect(ServerAddress(text)?.description == expected)
    }
}
