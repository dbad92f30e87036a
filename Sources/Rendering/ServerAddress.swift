public import Domain

/// Where an Envoy finds this server: `HOST:PORT`, with an IPv6 address in brackets.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// An address, or a name that the Envoy looks up.
    public enum Host: Hashable, Sendable {
        case address(IPAddress)
        case name(DNSName)
    }

    /// The host.
    public var host: Host
    /// The port.
    public var port: PortNumber

    /// Makes an address of its parts.
    public init(host: Host, port: PortNumber) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`; nil when `text` is not that.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains), let number = UInt16(digits),
            let port = PortNumber(number), let host = ServerAddress.host(text[..<colon])
        else { return nil }
        self.init(host: host, port: port)
    }

    public var description: String {
        switch host {
        case .address(let address): address.family == .version6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .name(let name): "\(name):\(port)"
        }
    }

    private static func host(_ text: Substring) -> Host? {
        if text.hasPrefix("["), text.hasSuffix("]") {
            guard let address = IPAddress(String(text.dropFirst().dropLast())), address.family == .version6 else { return nil }
            return .address(address)
        }
        if let address = IPAddress(String(text)) {
            // Without brackets the last group of an IPv6 address would pass for the port.
            return address.family == .version4 ? .address(address) : nil
        }
        return DNSName(String(text)).map(Host.name)
    }
}
