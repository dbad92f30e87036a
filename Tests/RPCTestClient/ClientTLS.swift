import COpenSSL
import Glibc

/// A client's end of TLS on a non-blocking socket; it owns its handles and belongs to one client.
public final class ClientTLS {
    /// With what a client shakes hands: paths of PEM files.
    public struct Options: Sendable {
        /// The authority of the server's certificate.
        public var authority: String
        /// The client's certificate; nil for none.
        public var certificate: String?
        /// Its key.
        public var key: String?
        /// The name that the server's certificate must have.
        public var serverName: String

        /// Makes options.
        public init(authority: String, certificate: String? = nil, key: String? = nil, serverName: String = "localhost") {
            self.authority = authority
            self.certificate = certificate
            self.key = key
            self.serverName = serverName
        }
    }

    /// Files that are of no use.
    public struct Unusable: Error {
        /// Whose.
        public let options: Options
    }

    private let context: OpaquePointer
    private let connection: OpaquePointer
    /// What OpenSSL had against the connection.
    private(set) var failure: String?
    /// Whether the last write waits for the server to say something.
    private(set) var waitsForInput = false

    init(_ options: Options, descriptor: CInt) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Unusable(options: options) }
        self.context = context
        guard SSL_CTX_load_verify_locations(context, options.authority, nil) == 1, let connection = SSL_new(context) else {
            SSL_CTX_free(context)
            throw Unusable(options: options)
        }
        self.connection = connection
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_set_verify(connection, SSL_VERIFY_PEER, nil)
        let isIdentified =
            if let certificate = options.certificate, let key = options.key {
                SSL_use_certificate_file(connection, certificate, SSL_FILETYPE_PEM) == 1
                    && SSL_use_PrivateKey_file(connection, key, SSL_FILETYPE_PEM) == 1
            } else {
                true
            }
        SSL_ctrl(connection, SSL_CTRL_MODE, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER), nil)
        let protocols: [UInt8] = [2, UInt8(ascii: "h"), UInt8(ascii: "2")]
        guard isIdentified, SSL_set1_host(connection, options.serverName) == 1, SSL_set_fd(connection, descriptor) == 1,
            SSL_set_alpn_protos(connection, protocols, UInt32(protocols.count)) == 0
        else { throw Unusable(options: options) }
        SSL_set_connect_state(connection)
    }

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    /// The ClientHello with which a handshake begins, as bytes that can be sent by whoever wants no more than the server's answer.
    public static func hello(_ options: Options) throws -> [UInt8] {
        let client = try ClientTLS(options, descriptor: -1)
        let (input, output) = (BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()))
        SSL_set_bio(client.connection, input, output)
        SSL_do_handshake(client.connection)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = BIO_read(output, &bytes, CInt(bytes.count))
        guard count > 0 else { throw Unusable(options: options) }
        return Array(bytes.prefix(Int(count)))
    }

    /// Reads as `read(2)` does: 0 at the end, -1 with `errno`.
    func read(_ buffer: inout [UInt8]) -> Int {
        ERR_clear_error()
        let count = buffer.withUnsafeMutableBytes { SSL_read(connection, $0.baseAddress, CInt(clamping: $0.count)) }
        return count > 0 ? Int(count) : result(count)
    }

    /// Writes as `write(2)` does.
    func write(_ bytes: [UInt8]) -> Int {
        ERR_clear_error()
        let count = bytes.withUnsafeBytes { SSL_write(connection, $0.baseAddress, CInt(clamping: $0.count)) }
        return count > 0 ? Int(count) : result(count)
    }

    private func result(_ result: CInt) -> Int {
        let error = SSL_get_error(connection, result)
        waitsForInput = error == SSL_ERROR_WANT_READ
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            errno = EAGAIN
            return -1
        case SSL_ERROR_ZERO_RETURN: return 0
        default:
            failure = failure ?? ERR_reason_error_string(ERR_peek_error()).map { String(cString: $0) }
            errno = EPIPE
            return -1
        }
    }
}
