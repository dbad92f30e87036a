import COpenSSL
import GRPC
import Glibc
import HTTP2

/// The server's end of TLS on a TCP socket. OpenSSL reads and writes the descriptor itself, and keeps no buffers while nothing happens.
final class TLSChannel: ByteChannel {
    /// Exits of `awaitingRecord`: `handshaking`, `broken`. Of `handshaking`: `open`, `broken`. Of `open`: `broken`.
    private enum State {
        /// Nothing has arrived.
        case awaitingRecord
        case handshaking
        case open
        /// OpenSSL must not be called again (SSL_get_error(3)).
        case broken
    }

    /// The payload of the largest record (RFC 8446 section 5.1). Each leaves in a system call of its own.
    private static let recordSize = 16 * 1024
    private static let vectorCount = 64
    /// The first byte of a record that carries a handshake.
    private static let handshakeRecord: UInt8 = 22

    let shakesHands = true

    private let connection: OpaquePointer
    private let socket: SocketChannel
    private let asksForCertificate: Bool
    private let metrics: TLSMetrics
    private var state = State.awaitingRecord

    var descriptor: CInt { socket.descriptor }

    /// Takes ownership of `connection`, and of the socket that it reads and writes.
    init(_ connection: OpaquePointer, descriptor: CInt, asksForCertificate: Bool, metrics: TLSMetrics) {
        self.connection = connection
        socket = SocketChannel(descriptor: descriptor)
        self.asksForCertificate = asksForCertificate
        self.metrics = metrics
    }

    deinit {
        SSL_free(connection)
    }

    var holdsInput: Bool { SSL_pending(connection) > 0 }

    // MARK: - The handshake

    func handshake() -> ChannelOutcome {
        let outcome = state == .awaitingRecord ? lookAtFirstByte() ?? accept() : accept()
        switch outcome {
        case .transferred: metrics.handshakeSucceeded()
        case .blocked: break
        case .ended, .failed:
            metrics.handshakeFailed()
            state = .broken
        }
        return outcome
    }

    /// Nil when a handshake begins.
    private func lookAtFirstByte() -> ChannelOutcome? {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK))
        if count == 0 { return .ended }
        guard count > 0 else {
            return errno == EAGAIN || errno == EINTR ? .blocked(until: .readable) : .failed(SystemError("recv").description)
        }
        guard byte == Self.handshakeRecord else {
            return .failed("plaintext arrived where TLS is spoken: turn TLS on in the client")
        }
        state = .handshaking
        return nil
    }

    private func accept() -> ChannelOutcome {
        guard state == .handshaking else { return .failed("the TLS handshake has failed before") }
        ERR_clear_error()
        let result = SSL_accept(connection)
        guard result == 1 else { return outcome(result, during: "the TLS handshake") }
        var selected: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(connection, &selected, &length)
        guard length > 0 else {
            return .failed("the client does not offer HTTP/2 in its TLS handshake: ALPN must have h2 (RFC 9113 section 3.2)")
        }
        // Each certificate takes some 5 KiB, and nobody will look at these again.
        copenssl_drop_peer_chain(connection)
        state = .open
        return .transferred(0)
    }

    var client: ClientIdentity? {
        guard asksForCertificate, state == .open, let certificate = SSL_get0_peer_certificate(connection),
            SSL_get_verify_result(connection) == X509_V_OK
        else { return nil }
        return CertificateNames.identity(of: certificate)
    }

    // MARK: - Data

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome {
        guard state == .open else { return .failed("TLS is broken") }
        ERR_clear_error()
        let count = SSL_read(connection, buffer.baseAddress, CInt(clamping: buffer.count))
        return count > 0 ? .transferred(Int(count)) : outcome(count, during: "reading TLS")
    }

    /// Writes one record, gathered from as many chunks as it takes. What did not leave is tried again with the same bytes at the front,
    /// as OpenSSL demands, because the queue only grows at its end.
    func write(_ output: OutputQueue) -> ChannelOutcome {
        guard state == .open else { return .failed("TLS is broken") }
        return output.withVectors(maximum: Self.vectorCount) { chunks in
            guard let first = chunks.first else { return .transferred(0) }
            if first.count >= Self.recordSize || chunks.count == 1 {
                return write(UnsafeRawBufferPointer(rebasing: first.prefix(Self.recordSize)))
            }
            return withUnsafeTemporaryAllocation(byteCount: Self.recordSize, alignment: 16) { record in
                var count = 0
                for chunk in chunks where count < record.count {
                    let part = UnsafeRawBufferPointer(rebasing: chunk.prefix(record.count - count))
                    UnsafeMutableRawBufferPointer(rebasing: record[count...]).copyMemory(from: part)
                    count += part.count
                }
                return write(UnsafeRawBufferPointer(rebasing: record[..<count]))
            }
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> ChannelOutcome {
        ERR_clear_error()
        let count = SSL_write(connection, bytes.baseAddress, CInt(clamping: bytes.count))
        if count > 0 { return .transferred(Int(count)) }
        let outcome = outcome(count, during: "writing TLS")
        guard case .blocked(until: .readable) = outcome else { return outcome }
        // Only a renegotiation would want to read first, and there is none.
        state = .broken
        return .failed("writing TLS waits for the peer")
    }

    private func outcome(_ result: CInt, during what: String) -> ChannelOutcome {
        let number = errno
        switch SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ: return .blocked(until: .readable)
        case SSL_ERROR_WANT_WRITE: return .blocked(until: .writable)
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL:
            state = .broken
            return number == 0 ? .ended : .failed(SystemError(what, number).description)
        default:
            state = .broken
            return .failed("\(what) failed: \(reason)")
        }
    }

    /// What a verifier had against the client's certificate says more than that the handshake failed.
    private var reason: String {
        let verdict = SSL_get_verify_result(connection)
        let error = OpenSSLError.take()
        guard verdict != X509_V_OK, let text = X509_verify_cert_error_string(verdict) else { return error }
        return "the client's certificate is refused, \(String(cString: text))"
    }

    func close() {
        if state == .open {
            ERR_clear_error()
            // Says goodbye; the peer's answer is not awaited.
            SSL_shutdown(connection)
        } else if state != .broken {
            metrics.handshakeFailed()
        }
        state = .broken
        ERR_clear_error()
        socket.close()
    }
}
