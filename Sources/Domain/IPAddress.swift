import Glibc

/// An IPv4 or IPv6 address in canonical text form, so that equal addresses have equal text (RFC 5952 for IPv6).
public struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The address family.
    public enum Family: Hashable, Sendable {
        case version4
        case version6
    }

    /// The canonical text.
    public let text: String
    /// The address family.
    public let family: Family

    /// Reads an address literal; nil when `text` is not one (names, ports, brackets and zones are not accepted).
    public init?(_ text: String) {
        // A C string would end at a NUL, and whatever follows it would go unnoticed.
        guard !text.utf8.contains(0) else { return nil }
        if let canonical = IPAddress.canonical(text, AF_INET, INET_ADDRSTRLEN) {
            self.text = canonical
            family = .version4
        } else if let canonical = IPAddress.canonical(text, AF_INET6, INET6_ADDRSTRLEN) {
            self.text = canonical
            family = .version6
        } else {
            return nil
        }
    }

    public static func < (left: IPAddress, right: IPAddress) -> Bool { left.text < right.text }

    public var description: String { text }

    private static func canonical(_ text: String, _ family: Int32, _ capacity: Int32) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address -> String? in
            guard inet_pton(family, text, address.baseAddress) == 1 else { return nil }
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(capacity)) { output in
                guard let result = inet_ntop(family, address.baseAddress, output.baseAddress, socklen_t(capacity)) else {
                    return nil
                }
                return String(cString: result)
            }
        }
    }
}
