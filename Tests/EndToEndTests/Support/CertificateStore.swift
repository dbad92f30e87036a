import Foundation
import TestKit

/// Certificates that `xds-operator certificates` makes in a directory of their own.
struct CertificateStore: Sendable {
    private let directory: TemporaryDirectory

    /// An authority, and a pair for a server on 127.0.0.1.
    static func made() async throws -> CertificateStore {
        let store = CertificateStore(directory: try TemporaryDirectory(named: "certificates"))
        try await store.run("init", store.path)
        return store
    }

    var path: String { directory.path(of: "store") }

    /// The directory of the pair `name`.
    func pair(_ name: String) -> String { "\(path)/\(name)" }

    /// Issues a pair, or issues it anew, with further options of `certificates issue`.
    func issue(_ name: String, _ options: String...) async throws { try await run(["issue", path, name] + options) }

    /// Puts the pair `source` of a store in the place of the pair `name`, with the authorities of several, all at once.
    func mount(_ name: String, _ source: String, of store: CertificateStore, authorities: [CertificateStore]) throws {
        let (place, version) = (pair(name), "..\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: "\(place)/\(version)", withIntermediateDirectories: true)
        for file in ["tls.crt", "tls.key"] {
            try FileManager.default.copyItem(
                atPath: "\(store.pair(source))/..data/\(file)", toPath: "\(place)/\(version)/\(file)")
        }
        let trusted = try authorities.map { try String(contentsOfFile: "\($0.path)/ca.crt", encoding: .utf8) }.joined()
        try trusted.write(toFile: "\(place)/\(version)/ca.crt", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: "\(place)/..data_tmp", withDestinationPath: version)
        guard rename("\(place)/..data_tmp", "\(place)/..data") == 0 else { throw SystemError("rename ..data") }
    }

    /// The options of `serve` for mutual TLS.
    var serverArguments: [String] {
        [
            "--xds-tls-cert", "\(pair("server"))/tls.crt", "--xds-tls-key", "\(pair("server"))/tls.key", "--xds-tls-client-ca",
            "\(pair("server"))/ca.crt",
        ]
    }

    /// The bootstrap of an Envoy that uses the files of `directory`.
    func bootstrap(_ stage: Stage, directory: String, form: DiscoveryForm = .delta, _ options: [String] = []) async throws
        -> String
    {
        let (end, output) = try await ChildProcess.run(
            [
                try Programs.xdsOperator(), "bootstrap", "--xds-address", "\(stage.xdsOperator.xds)", "--admin-port", "0",
                "--node-id", stage.ingress.uid, "--api", form.api, "--tls-directory", directory,
            ] + options)
        guard end == .exited(0) else { throw Failed(output: output) }
        return form.bootstrap(output)
    }

    /// A command failed.
    struct Failed: Error { let output: String }

    private func run(_ arguments: String...) async throws { try await run(arguments) }

    private func run(_ arguments: [String]) async throws {
        let (end, output) = try await ChildProcess.run([try Programs.xdsOperator(), "certificates"] + arguments)
        guard end == .exited(0) else { throw Failed(output: output) }
    }
}
