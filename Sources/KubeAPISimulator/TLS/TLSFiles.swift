/// The files in PEM by which a server speaks TLS.
public struct TLSFiles: Hashable, Sendable {
    /// The server's certificate, followed by those that issued it.
    public var certificate: String
    /// Its key.
    public var key: String
    /// The certificates that issue those of clients; without them, clients are known by their tokens alone.
    public var clientAuthority: String?

    /// Names the files; they are read when a server begins to use them.
    public init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }
}

/// Why a server can't speak TLS.
public struct TLSError: Error, CustomStringConvertible {
    /// Which file is wrong, and what OpenSSL says of it.
    public let description: String
}
