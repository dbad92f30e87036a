import COpenSSL
import Glibc

/// What the handshakes of a port rest on: one certificate with its key, and the authorities of client certificates.
///
/// Sendable because the handle is configured by the initialiser alone; afterwards connections of all loops are made from it, which
/// OpenSSL allows from several threads at once (openssl-threads(7)). Connections hold the handle by a reference of their own, so that
/// those that are there outlive the context that a newer one replaced.
final class TLSContext: @unchecked Sendable {
    private let handle: OpaquePointer
    private let metrics: TLSMetrics
    /// When the server's certificate expires, in seconds since 1970.
    let expiry: Int64
    /// Whether clients must show a certificate.
    let asksForCertificates: Bool

    /// Bytes of a client's certificates.
    private static let maximumClientChain = 32 * 1024
    private static let maximumDepth: CInt = 8

    /// Checks what the files hold and prepares for handshakes.
    init(_ content: TLSFiles.Content, of files: TLSFiles, metrics: TLSMetrics) throws(TLSFiles.Fault) {
        (handle, expiry) = try Self.prepared(content, files)
        self.metrics = metrics
        asksForCertificates = content.clientAuthorities != nil
    }

    private static func prepared(
        _ content: TLSFiles.Content, _ files: TLSFiles
    ) throws(TLSFiles.Fault) -> (handle: OpaquePointer, expiry: Int64) {
        ERR_clear_error()
        guard let handle = SSL_CTX_new(TLS_server_method()) else {
            throw TLSFiles.Fault("OpenSSL can't make a context: \(OpenSSLError.take())")
        }
        do {
            try setRules(handle)
            let expiry = try setCertificate(handle, content, files)
            if let authorities = content.clientAuthorities {
                try setAuthorities(handle, authorities, path: files.clientAuthorities ?? "")
            }
            return (handle, expiry)
        } catch {
            SSL_CTX_free(handle)
            throw error
        }
    }

    deinit {
        SSL_CTX_free(handle)
    }

    /// Takes ownership of a connected, non-blocking socket whose peer is to begin a handshake; nil, and the socket is closed, when there is no
    /// memory for it.
    func channel(_ descriptor: CInt) -> TLSChannel? {
        ERR_clear_error()
        guard let connection = SSL_new(handle), SSL_set_fd(connection, descriptor) == 1 else {
            close(descriptor)
            return nil
        }
        SSL_set_accept_state(connection)
        return TLSChannel(connection, descriptor: descriptor, asksForCertificate: asksForCertificates, metrics: metrics)
    }

    private static func setRules(_ handle: OpaquePointer) throws(TLSFiles.Fault) {
        copenssl_set_server_options(handle)
        SSL_CTX_ctrl(handle, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_ctrl(handle, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_3_VERSION), nil)
        // A resumed session would skip the check of the client's certificate against authorities that have changed since; and streams
        // that last for hours have no use for it.
        SSL_CTX_ctrl(handle, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        SSL_CTX_set_num_tickets(handle, 0)
        // An idle connection keeps no buffers. What is repeated after a full socket may lie elsewhere, because output is gathered anew.
        let buffering = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        // What is sent is what the file holds: else OpenSSL would look for more among the authorities of clients, in each handshake anew.
        SSL_CTX_ctrl(handle, SSL_CTRL_MODE, Int(buffering | SSL_MODE_NO_AUTO_CHAIN), nil)
        // One record a call: else a client's stream of key updates, which yield no data, would keep a loop in one call.
        SSL_CTX_ctrl(handle, SSL_CTRL_CLEAR_MODE, Int(SSL_MODE_AUTO_RETRY), nil)
        SSL_CTX_ctrl(handle, SSL_CTRL_SET_MAX_CERT_LIST, maximumClientChain, nil)
        // Ephemeral keys and authenticated ciphers only (RFC 9113 section 9.2.2, RFC 9325 section 4.2).
        guard SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            throw TLSFiles.Fault("OpenSSL has none of the ciphers that HTTP/2 permits: \(OpenSSLError.take())")
        }
        SSL_CTX_set_alpn_select_cb(
            handle,
            { _, selected, selectedLength, offered, offeredLength, _ in
                let ours: [UInt8] = [2, UInt8(ascii: "h"), UInt8(ascii: "2")]
                guard let offered, let selected, let selectedLength else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                var index = 0
                while index < offeredLength {
                    let length = Int(offered[index])
                    guard index + 1 + length <= offeredLength else { break }
                    if UnsafeBufferPointer(start: offered + index, count: 1 + length).elementsEqual(ours) {
                        selected.pointee = offered + index + 1
                        selectedLength.pointee = UInt8(length)
                        return SSL_TLSEXT_ERR_OK
                    }
                    index += 1 + length
                }
                return SSL_TLSEXT_ERR_ALERT_FATAL
            }, nil)
    }

    /// Returns when the certificate expires.
    private static func setCertificate(
        _ handle: OpaquePointer, _ content: TLSFiles.Content, _ files: TLSFiles
    ) throws(TLSFiles.Fault) -> Int64 {
        var expiry: Int64 = 0
        let count = PEM.forEachCertificate(content.certificate) { certificate, index in
            guard index > 0 else {
                expiry = seconds(X509_get0_notAfter(certificate))
                return SSL_CTX_use_certificate(handle, certificate) == 1
            }
            return SSL_CTX_ctrl(handle, SSL_CTRL_CHAIN_CERT, 1, UnsafeMutableRawPointer(certificate)) == 1
        }
        guard let count, count > 0 else {
            throw TLSFiles.Fault(
                "\(files.certificate) must hold the server's certificate in PEM, and those that lead to its authority: "
                    + (count == 0 ? "there is none in it" : OpenSSLError.take()))
        }
        guard let key = PEM.privateKey(content.key) else {
            throw TLSFiles.Fault("\(files.key) must hold a private key in PEM without a passphrase: \(OpenSSLError.take())")
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(handle, key) == 1, SSL_CTX_check_private_key(handle) == 1 else {
            throw TLSFiles.Fault(
                "\(files.key) does not hold the key of the certificate in \(files.certificate): \(OpenSSLError.take())")
        }
        return expiry
    }

    private static func setAuthorities(
        _ handle: OpaquePointer, _ bytes: [UInt8], path: String
    ) throws(TLSFiles.Fault) {
        let store = SSL_CTX_get_cert_store(handle)
        let count = PEM.forEachCertificate(bytes) { certificate, _ in
            X509_STORE_add_cert(store, certificate) == 1 && SSL_CTX_add_client_CA(handle, certificate) == 1
        }
        guard let count, count > 0 else {
            throw TLSFiles.Fault(
                "\(path) must hold the certificates of the authorities of clients in PEM: "
                    + (count == 0 ? "there is none in it" : OpenSSLError.take()))
        }
        // Whoever gives an intermediate authority trusts that one, not all that its root has signed.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        SSL_CTX_set_verify_depth(handle, maximumDepth)
        SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(handle, copenssl_verify_keeping_no_chain, nil)
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
        return Int64(timegm(&parts))
    }
}
