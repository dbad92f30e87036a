import Domain
import Foundation
import Transport

/// A directory with an authority, and a directory for each pair that it has issued.
struct CertificateDirectory {
    let path: String

    /// A file that is in the way or can't be used.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// `text` as the name it looks like.
    static func name(_ text: String) -> CertificateTemplate.Name { IPAddress(text) == nil ? .dns(text) : .address(text) }

    func createAuthority(validFrom: Int64, validUntil: Int64) throws -> CertificateAuthority {
        guard !FileManager.default.fileExists(atPath: "\(path)/ca.key") else {
            throw Failure(description: "\(path) has an authority already: remove it, or name another directory")
        }
        let authority = try CertificateAuthority(
            commonName: "xds-operator trial authority", validFrom: validFrom, validUntil: validUntil)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write(authority.pair.key, to: "\(path)/ca.key", isSecret: true)
        try write(authority.pair.certificate, to: "\(path)/ca.crt")
        return authority
    }

    func authority() throws -> CertificateAuthority {
        func read(_ name: String) throws -> [UInt8] {
            guard let data = FileManager.default.contents(atPath: "\(path)/\(name)") else {
                throw Failure(description: "\(path)/\(name) can't be read: make an authority by xds-operator certificates init")
            }
            return Array(data)
        }
        return try CertificateAuthority(CertificatePair(certificate: read("ca.crt"), key: read("ca.key")))
    }

    /// Writes the pair to a directory of its own, whose files are links through `..data`, which is swapped: nobody sees half of a change.
    func write(_ pair: CertificatePair, of authority: CertificateAuthority, to name: String) throws {
        let place = "\(path)/\(name)"
        let version = "..\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: "\(place)/\(version)", withIntermediateDirectories: true)
        try write(pair.certificate, to: "\(place)/\(version)/tls.crt")
        try write(pair.key, to: "\(place)/\(version)/tls.key", isSecret: true)
        try write(authority.pair.certificate, to: "\(place)/\(version)/ca.crt")
        let old = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(place)/..data")
        try? FileManager.default.removeItem(atPath: "\(place)/..data_tmp")
        try FileManager.default.createSymbolicLink(atPath: "\(place)/..data_tmp", withDestinationPath: version)
        guard rename("\(place)/..data_tmp", "\(place)/..data") == 0 else {
            throw Failure(description: "\(place)/..data can't be replaced: \(String(cString: strerror(errno)))")
        }
        for file in ["tls.crt", "tls.key", "ca.crt"] where !FileManager.default.fileExists(atPath: "\(place)/\(file)") {
            try FileManager.default.createSymbolicLink(atPath: "\(place)/\(file)", withDestinationPath: "..data/\(file)")
        }
        if let old { try? FileManager.default.removeItem(atPath: "\(place)/\(old)") }
    }

    /// A key is readable by its owner alone from the moment that it exists.
    private func write(_ bytes: [UInt8], to path: String, isSecret: Bool = false) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: isSecret ? 0o600 : 0o644]
        let mask = umask(isSecret ? 0o077 : 0o022)
        defer { umask(mask) }
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: attributes) else {
            throw Failure(description: "\(path) can't be written: \(String(cString: strerror(errno)))")
        }
    }
}
