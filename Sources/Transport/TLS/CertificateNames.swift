import COpenSSL
import GRPC

/// Reads the subject alternative names of certificates.
enum CertificateNames {
    /// More of them than this are not looked at.
    private static let maximumCount = 64
    private static let maximumLength = 1024

    /// The URIs and DNS names. One that is not printable ASCII is left out: a zero byte within would make two names look alike.
    static func identity(of certificate: OpaquePointer) -> ClientIdentity {
        var identity = ClientIdentity(uris: [], dnsNames: [])
        guard let names = copenssl_names(certificate) else { return identity }
        defer { copenssl_names_free(names) }
        for index in 0..<min(copenssl_names_count(names), CInt(maximumCount)) {
            var text: UnsafePointer<UInt8>?
            var length: CInt = 0
            let kind = copenssl_name(names, index, &text, &length)
            guard let text, length > 0, length <= maximumLength else { continue }
            let bytes = UnsafeBufferPointer(start: text, count: Int(length))
            guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { continue }
            let name = String(decoding: bytes, as: UTF8.self)
            switch kind {
            case GEN_URI: identity.uris.append(name)
            case GEN_DNS: identity.dnsNames.append(name)
            default: break
            }
        }
        return identity
    }
}
