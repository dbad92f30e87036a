import Foundation
import TestKit

/// A certificate authority for tests, which issues certificates by the `openssl` program.
public struct CertificateWorkshop: Sendable {
    private let directory: TemporaryDirectory

    /// The authority's own certificate.
    public var authority: String { directory.path(of: "authority.crt") }

    /// Makes an authority of a name that no other has.
    ///
    /// - Throws: `SystemError` or `Failure` when `openssl` can't be run or fails.
    public init() async throws {
        directory = try TemporaryDirectory(named: "certificates")
        try await openssl(
            ["req", "-x509", "-nodes", "-keyout", "authority.key", "-out", "authority.crt", "-days", "2"]
                + Self.newKey + ["-subj", "/CN=authority-\(UUID().uuidString)"])
    }

    /// Issues a certificate and its key.
    ///
    /// - Parameters:
    ///   - name: the common name, and the files' name.
    ///   - hosts: as in a certificate's subjectAltName, such as `IP:127.0.0.1` or `DNS:api.internal`; without any, it is a client's.
    ///   - organization: of a client, as Kubernetes its groups.
    public func issue(
        _ name: String, hosts: [String] = [], organization: String? = nil
    ) async throws -> (certificate: String, key: String) {
        let extensions = hosts.isEmpty ? "extendedKeyUsage=clientAuth" : "subjectAltName=\(hosts.joined(separator: ","))"
        try Data(extensions.utf8).write(to: URL(fileURLWithPath: directory.path(of: "\(name).ext")))
        let subject = (organization.map { "/O=\($0)" } ?? "") + "/CN=\(name)"
        try await openssl(
            ["req", "-nodes", "-keyout", "\(name).key", "-out", "\(name).csr"] + Self.newKey + ["-subj", subject])
        try await openssl([
            "x509", "-req", "-in", "\(name).csr", "-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial", "-days",
            "2", "-out", "\(name).crt", "-extfile", "\(name).ext",
        ])
        return (directory.path(of: "\(name).crt"), directory.path(of: "\(name).key"))
    }

    /// What `openssl` wrote that failed.
    public struct Failure: Error, CustomStringConvertible {
        /// The command's arguments and what it wrote.
        public let description: String
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    private func openssl(_ arguments: [String]) async throws {
        let (end, output) = try await ChildProcess.run(["/usr/bin/env", "-C", directory.path, "openssl"] + arguments)
        guard end == .exited(0) else {
            throw Failure(description: "openssl \(arguments.joined(separator: " ")) \(end): \(output)")
        }
    }
}
