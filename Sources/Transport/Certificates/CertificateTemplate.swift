/// What a certificate is to say.
public struct CertificateTemplate: Sendable {
    /// A subject alternative name.
    public enum Name: Hashable, Sendable, CustomStringConvertible {
        case dns(String)
        case address(String)
        case uri(String)

        /// As OpenSSL's configuration spells it.
        public var description: String {
            switch self {
            case .dns(let name): "DNS:\(name)"
            case .address(let address): "IP:\(address)"
            case .uri(let uri): "URI:\(uri)"
            }
        }

        /// Whether the name has only characters that can't be taken for something else in such a configuration.
        var isPlain: Bool {
            let text: String
            switch self {
            case .dns(let name), .address(let name), .uri(let name): text = name
            }
            let marks: Set<UInt8> = Set("-._~:/%*".utf8)
            return !text.isEmpty && text.utf8.count <= 1024
                && text.utf8.allSatisfy { byte in
                    marks.contains(byte) || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                        || (0x61...0x7A).contains(byte)
                }
        }
    }

    /// What it may be used for.
    public enum Usage: Hashable, Sendable {
        case authority
        case server
        case client
    }

    /// The subject's common name, for people.
    public var commonName: String
    /// Whom it names.
    public var names: [Name]
    /// What it may be used for.
    public var usage: Usage
    /// From when it is valid, in seconds since 1970.
    public var validFrom: Int64
    /// Until when it is valid, in seconds since 1970.
    public var validUntil: Int64

    /// Makes a template.
    public init(commonName: String, names: [Name] = [], usage: Usage, validFrom: Int64, validUntil: Int64) {
        self.commonName = commonName
        self.names = names
        self.usage = usage
        self.validFrom = validFrom
        self.validUntil = validUntil
    }
}

/// A certificate and its private key, in PEM.
public struct CertificatePair: Hashable, Sendable {
    /// The certificate.
    public let certificate: [UInt8]
    /// The private key, not encrypted.
    public let key: [UInt8]

    /// Makes a pair.
    public init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why there is no certificate.
public struct CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong, and what to do.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
