/// A UDP or TCP port, 1 to 65535.
public struct PortNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The port as a number, never 0.
    public let value: UInt16

    /// Makes a port of `value`; nil outside 1...65535.
    public init?(_ value: some BinaryInteger) {
        guard let value = UInt16(exactly: value), value != 0 else { return nil }
        self.value = value
    }

    public static func < (left: PortNumber, right: PortNumber) -> Bool { left.value < right.value }

    public var description: String { String(value) }
}

/// The transport protocol of a listener and of its cluster.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    case udp
    case tcp
}
