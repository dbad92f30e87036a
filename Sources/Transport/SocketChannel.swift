import GRPC
import Glibc
import HTTP2

/// A plain TCP socket.
final class SocketChannel: ByteChannel {
    /// Chunks in one `writev`: two or three make one message.
    private static let vectorCount = 32
    /// Unread input that is thrown away at the end, so that the kernel closes with FIN and the peer can read our last words.
    private static let discardedByteCount = 256 * 1024

    let descriptor: CInt
    let holdsInput = false
    let shakesHands = false
    var client: ClientIdentity? { nil }

    /// Takes ownership of a connected, non-blocking socket.
    init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    func handshake() -> ChannelOutcome { .transferred(0) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { return .transferred(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked(until: .readable)
            default: return .failed(SystemError("read").description)
            }
        }
    }

    func write(_ output: OutputQueue) -> ChannelOutcome {
        var outcome = ChannelOutcome.transferred(0)
        output.withVectors(maximum: Self.vectorCount) { chunks in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: chunks.count) { vectors in
                for index in chunks.indices {
                    let vector = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: chunks[index].baseAddress), iov_len: chunks[index].count)
                    vectors.initializeElement(at: index, to: vector)
                }
                outcome = write(vectors)
            }
        }
        return outcome
    }

    /// `sendmsg` is `writev` that can be told not to raise SIGPIPE.
    private func write(_ vectors: UnsafeMutableBufferPointer<iovec>) -> ChannelOutcome {
        var message = msghdr()
        message.msg_iov = vectors.baseAddress
        message.msg_iovlen = vectors.count
        while true {
            let count = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
            if count >= 0 { return .transferred(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked(until: .writable)
            default: return .failed(SystemError("sendmsg").description)
            }
        }
    }

    func close() {
        shutdown(descriptor, CInt(SHUT_WR))
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 16) { buffer in
            for _ in 0..<Self.discardedByteCount / buffer.count {
                guard case .transferred = read(into: buffer) else { return }
            }
        }
        Glibc.close(descriptor)
    }
}
