import CLinux
import Glibc

/// A failed system call.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let number = errno

    var description: String { "\(call): \(String(cString: strerror(number)))" }
}

/// Returns `result` unless it says that `call` failed.
@discardableResult
func check(_ call: String, _ result: CInt) throws(SystemError) -> CInt {
    guard result >= 0 else { throw SystemError(call: call) }
    return result
}

/// A listening socket on a free port of 127.0.0.1.
struct Listener {
    let descriptor: CInt
    let port: UInt16

    init() throws {
        let descriptor = try check("socket", socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try check("bind", bind(descriptor, $0, length))
                try check("listen", listen(descriptor, 4096))
                try check("getsockname", getsockname(descriptor, $0, &length))
            }
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    /// The next connection, not blocking and without delay.
    func accept() throws -> CInt {
        let connection = try check(
            "accept4", accept4(descriptor, nil, nil, CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)))
        setNoDelay(connection)
        return connection
    }
}

func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    return address
}

func setNoDelay(_ descriptor: CInt) {
    var one: CInt = 1
    setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
}

/// Descriptors by number, watched for input.
struct Watch {
    private let descriptor: CInt
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws { descriptor = try check("epoll_create1", epoll_create1(CInt(EPOLL_CLOEXEC))) }

    func add(_ watched: CInt, number: Int, output: Bool = false) throws {
        var event = epoll_event()
        event.events = output ? EPOLLOUT.rawValue : EPOLLIN.rawValue
        event.data.u64 = UInt64(number)
        try check("epoll_ctl", epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event))
    }

    /// The numbers of those that have input.
    mutating func wait() -> [Int] {
        let count = epoll_wait(descriptor, &events, CInt(events.count), -1)
        return (0..<max(0, Int(count))).map { Int(events[$0].data.u64) }
    }
}
