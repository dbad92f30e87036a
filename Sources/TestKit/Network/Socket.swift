import Glibc

/// An IPv4 address with a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in dotted form.
    public var host: String
    /// The port.
    public var port: UInt16

    /// Makes `host:port`.
    public init(_ host: String, _ port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        self.init(String(text[..<colon]), port)
    }

    public var description: String { "\(host):\(port)" }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) throws -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw SystemError("\(host) is no IPv4 address", code: EINVAL)
        }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// An open descriptor, closed when the last reference goes.
public final class Descriptor: Sendable {
    let number: CInt

    init(_ number: CInt, _ call: String) throws {
        guard number >= 0 else { throw SystemError(call) }
        self.number = number
    }

    deinit { close(number) }

    /// A UDP socket bound to `address`.
    public static func udp(boundTo address: SocketAddress) throws -> Descriptor {
        let socket = try make(SOCK_DGRAM)
        try socket.bind(to: address)
        return socket
    }

    /// A UDP socket with a free source port that talks to `address` only.
    public static func udp(connectedTo address: SocketAddress) throws -> Descriptor {
        let socket = try make(SOCK_DGRAM)
        try socket.check("connect \(address)", address.withSockaddr { connect(socket.number, $0, $1) })
        return socket
    }

    /// A TCP socket that listens on `address`.
    public static func tcp(listeningOn address: SocketAddress) throws -> Descriptor {
        let socket = try make(SOCK_STREAM)
        var one: CInt = 1
        setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        try socket.bind(to: address)
        try socket.check("listen \(address)", listen(socket.number, 128))
        return socket
    }

    /// An open TCP connection to `address`, from the address `source` when one is given. Blocks.
    public static func tcp(connectedTo address: SocketAddress, from source: String? = nil) throws -> Descriptor {
        let socket = try make(SOCK_STREAM, nonblocking: false)
        if let source { try socket.bind(to: SocketAddress(source, 0)) }
        try socket.check("connect \(address)", address.withSockaddr { connect(socket.number, $0, $1) })
        return socket
    }

    private static func make(_ type: __socket_type, nonblocking: Bool = true) throws -> Descriptor {
        let flags = CInt(SOCK_CLOEXEC.rawValue) | (nonblocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
        return try Descriptor(socket(AF_INET, CInt(type.rawValue) | flags, 0), "socket")
    }

    private func bind(to address: SocketAddress) throws {
        try check("bind \(address)", address.withSockaddr { Glibc.bind(number, $0, $1) })
    }

    private func check(_ call: String, _ result: CInt) throws {
        guard result == 0 else { throw SystemError(call) }
    }

    /// Sends `bytes` on a connected socket; true when all were taken.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        Glibc.send(number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count
    }

    /// Receives at most `limit` bytes; empty at the end of the stream, nil when there is nothing or on an error.
    public func receive(limit: Int = 65536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(number, &buffer, limit, 0)
        return count >= 0 ? Array(buffer.prefix(count)) : nil
    }

    /// Waits until there is something to read (or an end or an error): false after `limit`. Blocks.
    public func waitReadable(within limit: Duration) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, limit.wholeMilliseconds) > 0
    }
}

extension Duration {
    /// In whole milliseconds, rounded up, as `poll` takes them.
    var wholeMilliseconds: CInt {
        let (seconds, attoseconds) = components
        let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return CInt(clamping: max(0, milliseconds))
    }
}
