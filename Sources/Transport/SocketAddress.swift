import Glibc

/// An IP address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four bytes (IPv4) or sixteen (IPv6), in network order.
    let octets: [UInt8]
    /// The port; 0 in an address to bind picks a free one.
    public let port: UInt16

    /// What is wrong with the text of an address.
    public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The text.
        public let text: String

        public var description: String {
            "\"\(text)\" is no address to bind: write HOST:PORT with an IP address, as 0.0.0.0:18000 or [::]:18000"
        }
    }

    /// Parses `HOST:PORT` with an IPv4 address, or an IPv6 address in brackets.
    public init(_ text: String) throws(ParseError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ParseError(text: text)
        }
        let host = text[..<colon]
        let isBracketed = host.first == "[" && host.last == "]" && host.count > 2
        let octets =
            isBracketed
            ? Self.octets(AF_INET6, String(host.dropFirst().dropLast()), count: 16)
            : Self.octets(AF_INET, String(host), count: 4)
        guard let octets else { throw ParseError(text: text) }
        self.init(octets: octets, port: port)
    }

    init(octets: [UInt8], port: UInt16) {
        // An IPv4 peer of an IPv6 socket (RFC 4291 section 2.5.5.2) is shown, and counted, as IPv4.
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.octets = octets.count == 16 && octets.starts(with: mapped) ? Array(octets[12...]) : octets
        self.port = port
    }

    private static func octets(_ family: CInt, _ host: String, count: Int) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        return inet_pton(family, host, &octets) == 1 ? octets : nil
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(octets.count == 4 ? AF_INET : AF_INET6, octets, &text, socklen_t(text.count))
        let host = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return octets.count == 4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }

    /// What one host is given: an IPv4 address, or 64 bits of an IPv6 address (RFC 4291 section 2.5.4), of which it may use all.
    var network: [UInt8] { Array(octets.prefix(octets.count == 4 ? 4 : 8)) }

    // MARK: - The system's form

    package var family: CInt { octets.count == 4 ? AF_INET : AF_INET6 }

    /// Connects a socket to the address; returns what the system call returned.
    package func connect(_ descriptor: CInt) -> CInt {
        withSystemAddress { Glibc.connect(descriptor, $0, $1) }
    }

    /// Binds a socket to the address; returns what the system call returned.
    package func bind(_ descriptor: CInt) -> CInt {
        withSystemAddress { Glibc.bind(descriptor, $0, $1) }
    }

    private func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        if octets.count == 4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: octets) }
            return Self.call(body, address)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: octets) }
        return Self.call(body, address)
    }

    private static func call<Result, Address>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result, _ address: Address
    ) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    /// Calls `body`, which fills in an address, and returns its result with the address, if it is an IP address.
    static func filled(
        by body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> CInt
    ) -> (result: CInt, address: SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        guard result >= 0 else { return (result, nil) }
        let address: SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_INET:
                let address = bytes.loadUnaligned(as: sockaddr_in.self)
                return SocketAddress(
                    octets: withUnsafeBytes(of: address.sin_addr) { Array($0) }, port: UInt16(bigEndian: address.sin_port))
            case AF_INET6:
                let address = bytes.loadUnaligned(as: sockaddr_in6.self)
                return SocketAddress(
                    octets: withUnsafeBytes(of: address.sin6_addr) { Array($0) }, port: UInt16(bigEndian: address.sin6_port))
            default: return nil
            }
        }
        return (result, address)
    }
}
