/// A host name that a resolver can look up (RFC 1123 labels, at most 253 bytes, an optional final dot removed).
public struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// The name in lower case, without a final dot.
    public let text: String

    /// Reads a host name; nil when `text` is not one. All-numeric last labels are refused (RFC 1123, 2.1), so that a
    /// mistyped address such as `10.0.0.256` does not become a name.
    public init?(_ text: String) {
        // Before lower-casing, which turns some letters beyond ASCII into ASCII ones.
        guard text.utf8.count <= 254, text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var name = text.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty, name.utf8.count <= 253 else { return nil }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy(DNSName.isLabel), let last = labels.last, !last.utf8.allSatisfy(DNSName.isDigit) else {
            return nil
        }
        self.text = name
    }

    public var description: String { text }

    private static func isLabel(_ label: Substring) -> Bool {
        guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-" else { return false }
        // Underscores are no host name by RFC 1123, but service names of real clusters carry them.
        return label.utf8.allSatisfy {
            isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: "_")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
