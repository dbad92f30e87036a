/// The content of a file that others replace: opened by its path each time, because such files are links that are switched over. The
/// last good content stays while reading fails.
struct RotatingFile: Sendable {
    /// What the file must hold.
    enum Kind: String, Sendable {
        case token
        case certificates = "certificate authority"
        case certificate = "client certificate"
        case key = "client key"
    }

    static let maximumAge = Duration.seconds(50)

    let path: String
    let kind: Kind
    private var content: [UInt8]?
    private var checked: ContinuousClock.Instant?
    /// Why the last attempt to read failed while an earlier content is in use; nil when it succeeded.
    private(set) var complaint: String?

    init(path: String, kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// The content, read again when the last look is older than ``maximumAge``, or at once when `isStale`.
    mutating func current(now: ContinuousClock.Instant, isStale: Bool) throws(ClusterConfigurationError) -> [UInt8] {
        if let content, let checked, !isStale, checked.duration(to: now) < RotatingFile.maximumAge { return content }
        checked = now
        do throws(ClusterConfigurationError) {
            let bytes = try RotatingFile.checked(FileReading.read(path), kind, path)
            content = bytes
            complaint = nil
            return bytes
        } catch {
            guard let content else { throw error }
            complaint = error.description
            return content
        }
    }

    /// `bytes` if they can be what they must; an empty file never is.
    static func checked(_ bytes: [UInt8], _ kind: Kind, _ place: String) throws(ClusterConfigurationError) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self).trimmingSpace()
        guard !text.isEmpty else { throw ClusterConfigurationError("\(place) is empty: it must hold the \(kind.rawValue)") }
        switch kind {
        case .token:
            // Anything else would break out of the header field.
            guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw ClusterConfigurationError("\(place) holds no token: it has spaces or characters outside ASCII")
            }
            return Array(text.utf8)
        case .certificates, .certificate:
            guard text.contains("-----BEGIN CERTIFICATE-----") || text.contains("-----BEGIN TRUSTED CERTIFICATE-----") else {
                throw ClusterConfigurationError("\(place) holds no certificate in PEM: it must hold the \(kind.rawValue)")
            }
        case .key:
            guard text.contains("PRIVATE KEY-----") else {
                throw ClusterConfigurationError("\(place) holds no private key in PEM: it must hold the \(kind.rawValue)")
            }
        }
        return bytes
    }
}
