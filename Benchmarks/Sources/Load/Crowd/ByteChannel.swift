import Glibc

/// How a read or a write on a channel went.
enum ChannelOutcome {
    case transferred(Int)
    /// Nothing now; the loop is to wait.
    case blocked
    case ended(String)
}

/// The bytes of one connection. TLS is another channel than the plain one; nothing else changes with it.
protocol ByteChannel: AnyObject {
    /// The socket, which the channel owns.
    var descriptor: CInt { get }
    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome
    func write(_ bytes: UnsafeRawBufferPointer) -> ChannelOutcome
    func close()
}

/// A plain TCP socket.
final class PlainChannel: ByteChannel {
    let descriptor: CInt

    /// Begins to connect; the outcome shows in the first read or write.
    init(connectingTo address: ServerAddress) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw LoadError.system("socket", errno) }
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        let code = address.connect(descriptor)
        if code != 0 && errno != EINPROGRESS {
            let number = errno
            Glibc.close(descriptor)
            throw LoadError.system("connect to \(address)", number)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return .transferred(count) }
        return count == 0 ? .ended("closed by the server") : Self.failure()
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> ChannelOutcome {
        let count = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        return count >= 0 ? .transferred(count) : Self.failure()
    }

    func close() { Glibc.close(descriptor) }

    private static func failure() -> ChannelOutcome {
        errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? .blocked : .ended(String(cString: strerror(errno)))
    }
}

/// What keeps a load from being made.
public enum LoadError: Error, CustomStringConvertible {
    /// A system call failed.
    case system(String, CInt)
    /// An address or a URL that can't be used, or an answer that says no.
    case invalid(String)
    /// Something did not come about in time.
    case timedOut(String)

    public var description: String {
        switch self {
        case .system(let call, let number): "\(call): \(String(cString: strerror(number)))"
        case .invalid(let text): text
        case .timedOut(let what): "gave up waiting for \(what)"
        }
    }
}
