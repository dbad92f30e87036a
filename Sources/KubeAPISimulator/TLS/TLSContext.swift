import COpenSSL

/// What all TLS connections share that began while it was in use: certificate, key, and who issues those of clients.
///
/// Sendable because nothing changes after `init`; making a session of it from several threads is safe (OpenSSL, `openssl-threads`).
final class TLSContext: @unchecked Sendable {
    let files: TLSFiles
    fileprivate let handle: OpaquePointer

    init(_ files: TLSFiles) throws(TLSError) {
        self.files = files
        guard let handle = SSL_CTX_new(TLS_server_method()) else { throw Self.failure("make a context") }
        self.handle = handle
        // Sessions that are taken up again must be of this server.
        SSL_CTX_set_session_id_context(handle, "simulator", 9)
        guard SSL_CTX_use_certificate_chain_file(handle, files.certificate) == 1 else {
            throw Self.failure("use the certificate \(files.certificate)")
        }
        guard SSL_CTX_use_PrivateKey_file(handle, files.key, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(handle) == 1 else {
            throw Self.failure("use the key \(files.key)")
        }
        guard let authority = files.clientAuthority else { return }
        guard SSL_CTX_load_verify_locations(handle, authority, nil) == 1 else {
            throw Self.failure("use the authority of clients \(authority)")
        }
        // A client may do without a certificate; one that it shows must be right.
        SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
    }

    deinit { SSL_CTX_free(handle) }

    private static func failure(_ what: String) -> TLSError {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        ERR_clear_error()
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return TLSError(description: "can't \(what): \(reason)")
    }
}

/// One connection's TLS: what came from the socket goes in, what is to be sent comes out. Belongs to the server's thread.
final class TLSSession {
    private let handle: OpaquePointer
    /// What came and what is to be sent; both belong to the handle.
    private let (inbound, outbound): (OpaquePointer, OpaquePointer)
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    /// Begins the handshake of a connection; nil without memory.
    init?(_ context: TLSContext) {
        guard let handle = SSL_new(context.handle), let inbound = BIO_new(BIO_s_mem()), let outbound = BIO_new(BIO_s_mem()) else {
            return nil
        }
        (self.handle, self.inbound, self.outbound) = (handle, inbound, outbound)
        SSL_set_bio(handle, inbound, outbound)
        SSL_set_accept_state(handle)
    }

    deinit { SSL_free(handle) }

    /// Takes what came from the socket, and returns what it says; nil when TLS failed or the client has ended it.
    func receive(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        bytes.withUnsafeBytes { _ = BIO_write(inbound, $0.baseAddress, CInt($0.count)) }
        var text: [UInt8] = []
        while true {
            ERR_clear_error()
            var count = 0
            if SSL_read_ex(handle, &buffer, buffer.count, &count) == 1 {
                text += buffer[..<count]
            } else {
                return SSL_get_error(handle, 0) == SSL_ERROR_WANT_READ ? text : nil
            }
        }
    }

    /// Takes what is to be said; nothing before the client has said something.
    func send(_ text: [UInt8]) {
        ERR_clear_error()
        var count = 0
        // Memory takes all at once.
        SSL_write_ex(handle, text, text.count, &count)
    }

    /// What is to be sent by the socket since the last call.
    func output() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outbound))
        guard !bytes.isEmpty else { return [] }
        let count = BIO_read(outbound, &bytes, CInt(bytes.count))
        return Array(bytes.prefix(Int(max(0, count))))
    }

    /// The common name of the client's certificate; nil when it showed none.
    var clientName: String? {
        guard let certificate = SSL_get1_peer_certificate(handle) else { return nil }
        defer { X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 256)
        let count = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, CInt(text.count))
        guard count > 0 else { return nil }
        return String(decoding: text.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
