import Glibc

/// The IPv4 address and port of a server.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in dotted form.
    public let host: String
    /// The port.
    public let port: UInt16

    /// Reads `HOST:PORT` with an IPv4 address.
    public init(_ text: String) throws(LoadError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw .invalid("\"\(text)\" is no address: write an IPv4 address and a port, as 127.0.0.1:18000")
        }
        host = text[..<colon] == "localhost" ? "127.0.0.1" : String(text[..<colon])
        self.port = port
        var address = in_addr()
        guard inet_pton(AF_INET, host, &address) == 1 else {
            throw .invalid("\"\(host)\" is no IPv4 address")
        }
    }

    public var description: String { "\(host):\(port)" }

    /// Connects a socket; returns what the system call returned.
    func connect(_ descriptor: CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
