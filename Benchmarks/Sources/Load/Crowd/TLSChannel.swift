import COpenSSL
import Glibc

/// What clients of TLS share: whom they trust, and who they are.
final class TLSClient {
    private let context: OpaquePointer

    /// Reads the files; throws ``LoadError``.
    init(_ files: TLSFiles) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw LoadError.invalid("TLS can't be set up") }
        self.context = context
        let protocols: [UInt8] = [2] + Array("h2".utf8)
        SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
        SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE), nil)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard SSL_CTX_load_verify_locations(context, files.authority, nil) == 1 else {
            throw LoadError.invalid("no authority can be read from \(files.authority)")
        }
        guard let certificate = files.certificate, let key = files.key else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw LoadError.invalid("no certificate can be read from \(certificate)")
        }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw LoadError.invalid("no key of that certificate can be read from \(key)")
        }
    }

    deinit { SSL_CTX_free(context) }

    /// Begins a connection on a socket.
    func channel(over socket: PlainChannel) throws -> TLSChannel {
        guard let connection = SSL_new(context), SSL_set_fd(connection, socket.descriptor) == 1 else {
            throw LoadError.invalid("TLS can't begin a connection")
        }
        SSL_set_connect_state(connection)
        return TLSChannel(connection, socket)
    }
}

/// The files of a client of TLS, in PEM.
public struct TLSFiles: Sendable {
    /// The authority of the server's certificate.
    public let authority: String
    /// The client's certificate and its key; nil where the server asks for none.
    public let certificate: String?
    /// The certificate's key.
    public let key: String?

    /// Names the files.
    public init(authority: String, certificate: String?, key: String?) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }
}

/// TLS on a socket.
final class TLSChannel: ByteChannel {
    private let connection: OpaquePointer
    private let socket: PlainChannel
    /// What was written before the handshake was done: waiting to write would be waiting for a socket that can always be written.
    private var early: [UInt8] = []

    var descriptor: CInt { socket.descriptor }

    init(_ connection: OpaquePointer, _ socket: PlainChannel) {
        self.connection = connection
        self.socket = socket
    }

    deinit { SSL_free(connection) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome {
        if let outcome = advance() { return outcome }
        // As full as the data allows: a reader that got less than it asked for takes it that there is no more.
        var total = 0
        while total < buffer.count {
            ERR_clear_error()
            let count = SSL_read(connection, buffer.baseAddress.map { $0 + total }, CInt(clamping: buffer.count - total))
            if count <= 0 { return total > 0 ? .transferred(total) : outcome(count) }
            total += Int(count)
        }
        return .transferred(total)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> ChannelOutcome {
        guard SSL_is_init_finished(connection) == 1, early.isEmpty else {
            early += bytes
            if case .ended(let reason) = advance() { return .ended(reason) }
            return .transferred(bytes.count)
        }
        ERR_clear_error()
        let count = SSL_write(connection, bytes.baseAddress, CInt(clamping: bytes.count))
        return count > 0 ? .transferred(Int(count)) : outcome(count)
    }

    func close() { socket.close() }

    /// Goes on with the handshake, and with what was written before its end; nil once both are done.
    private func advance() -> ChannelOutcome? {
        if SSL_is_init_finished(connection) == 0 {
            ERR_clear_error()
            let result = SSL_do_handshake(connection)
            if result != 1 { return outcome(result) }
        }
        while !early.isEmpty {
            ERR_clear_error()
            let count = early.withUnsafeBytes { SSL_write(connection, $0.baseAddress, CInt(clamping: $0.count)) }
            if count <= 0 { return outcome(count) }
            early.removeFirst(Int(count))
        }
        early = []
        return nil
    }

    private func outcome(_ result: CInt) -> ChannelOutcome {
        switch SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .ended("closed by the server")
        case SSL_ERROR_SYSCALL where errno == ENOTCONN: return .blocked
        default:
            let code = ERR_get_error()
            guard code != 0, let reason = ERR_reason_error_string(code) else { return .ended("TLS broke off") }
            return .ended("TLS: \(String(cString: reason))")
        }
    }
}
