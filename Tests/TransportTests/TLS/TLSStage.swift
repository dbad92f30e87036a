import Foundation
import GRPC
import Logging
import RPCTestClient

@testable import Transport

/// A directory with an authority, and certificates that it issues.
final class TLSStage {
    let directory: String
    let authority: CertificateAuthority
    /// The server's files, as Kubernetes would mount them: names that lead through a link to a directory.
    let server: TLSFiles
    static let now = Int64(Date().timeIntervalSince1970)

    init(asksForCertificates: Bool = true) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        authority = try Self.newAuthority()
        server = TLSFiles(
            certificate: "\(directory)/tls.crt", key: "\(directory)/tls.key",
            clientAuthorities: asksForCertificates ? "\(directory)/ca.crt" : nil)
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: "..data/\(name)")
        }
        try mount(try serverPair(), authorities: authority.pair.certificate)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static func newAuthority() throws -> CertificateAuthority {
        try CertificateAuthority(commonName: "authority", validFrom: now - 60, validUntil: now + 3600)
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }

    func serverPair() throws -> CertificatePair {
        try authority.issue(
            CertificateTemplate(
                commonName: "server", names: [.dns("localhost"), .address("127.0.0.1")], usage: .server, validFrom: Self.now - 60,
                validUntil: Self.now + 3600))
    }

    /// Puts files in place as the kubelet does: a directory of their own, to which a link is swapped.
    func mount(_ pair: CertificatePair, authorities: [UInt8]) throws {
        let version = "..\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path(version), withIntermediateDirectories: false)
        try write("\(version)/tls.crt", pair.certificate)
        try write("\(version)/tls.key", pair.key)
        try write("\(version)/ca.crt", authorities)
        try FileManager.default.createSymbolicLink(atPath: path("..data_tmp"), withDestinationPath: version)
        guard rename(path("..data_tmp"), path("..data")) == 0 else { throw SystemError("rename") }
    }

    /// A client of the stage's authority, or of another one; without a template it has no certificate.
    func client(_ template: CertificateTemplate? = nil, by other: CertificateAuthority? = nil) throws -> ClientTLS.Options {
        try write("server-authority.crt", authority.pair.certificate)
        var options = ClientTLS.Options(authority: path("server-authority.crt"))
        guard let template else { return options }
        let pair = try (other ?? authority).issue(template)
        let name = UUID().uuidString
        try write("\(name).crt", pair.certificate)
        try write("\(name).key", pair.key)
        options.certificate = path("\(name).crt")
        options.key = path("\(name).key")
        return options
    }

    static func template(
        _ names: [CertificateTemplate.Name] = [.uri("spiffe://cluster.local/ns/default/sa/envoy")],
        usage: CertificateTemplate.Usage = .client, validFrom: Int64 = now - 60, validUntil: Int64 = now + 3600
    ) -> CertificateTemplate {
        CertificateTemplate(
            commonName: "client", names: names, usage: usage, validFrom: validFrom, validUntil: validUntil)
    }
}
