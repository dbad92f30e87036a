import Glibc

/// The PEM files that TLS on a port rests on.
public struct TLSFiles: Hashable, Sendable {
    /// The server's certificate, followed by those that lead to its authority.
    public var certificate: String
    /// The certificate's private key, not encrypted.
    public var key: String
    /// The authorities of client certificates; without them no client is asked for one.
    public var clientAuthorities: String?

    /// Names the files.
    public init(certificate: String, key: String, clientAuthorities: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
    }

    /// Why TLS cannot be set up with files as they are.
    public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong, with which file, and what to do.
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// What the files hold.
    struct Content: Hashable {
        var certificate: [UInt8]
        var key: [UInt8]
        var clientAuthorities: [UInt8]?
    }

    /// Reads the files, which may take as long as the file system does.
    func read() throws(Fault) -> Content {
        var content = Content(certificate: try Self.read(certificate), key: try Self.read(key))
        if let clientAuthorities { content.clientAuthorities = try Self.read(clientAuthorities) }
        return content
    }

    /// Bytes of a file; a bundle of all public authorities has a quarter of this.
    private static let limit = 1 << 20

    private static func read(_ path: String) throws(Fault) -> [UInt8] {
        // Non-blocking, lest a FIFO waits for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Fault(SystemError("open \(path)").description) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Fault(SystemError("read \(path)").description) }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= limit else { throw Fault("\(path) is larger than \(limit) bytes: it can't be a certificate") }
        }
    }
}

/// Decides when changed files are taken up: once two looks in a row agree, so that files that are just being written are not.
struct TLSFileChanges {
    private var current: TLSFiles.Content
    private var pending: Result<TLSFiles.Content, TLSFiles.Fault>?

    /// What was read is in force.
    init(_ content: TLSFiles.Content) {
        current = content
    }

    /// Returns what is new and has settled, once.
    mutating func looked(
        _ content: Result<TLSFiles.Content, TLSFiles.Fault>
    ) -> Result<TLSFiles.Content, TLSFiles.Fault>? {
        if case .success(current) = content {
            pending = nil
            return nil
        }
        guard pending == content else {
            pending = content
            reported = false
            return nil
        }
        guard !reported else { return nil }
        reported = true
        return content
    }

    /// Whether the pending state has been returned; it stays pending when it turns out to be of no use.
    private var reported = false

    /// What was returned is in force.
    mutating func accepted(_ content: TLSFiles.Content) {
        current = content
        pending = nil
    }
}
