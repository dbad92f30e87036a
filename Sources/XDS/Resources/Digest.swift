import COpenSSL

/// The first 128 bits of the SHA-256 of some bytes; stable across processes, replicas and releases.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    var high: UInt64
    var low: UInt64

    /// The digest that leaves a sum unchanged.
    public static let zero = Digest(high: 0, low: 0)

    /// Digests `bytes`.
    public init(of bytes: some Sequence<UInt8>) {
        let hash = Digest.sha256(of: bytes)
        high = hash.0
        low = hash.1
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the 32 hexadecimal digits of `description`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        self = .zero
        var count = 0
        for character in text.utf8 {
            let digit: UInt8
            // One spelling each, so that comparing versions as text or as digests gives the same answer.
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            guard count < 32 else { return nil }
            count += 1
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(digit)
        }
        guard count == 32 else { return nil }
    }

    /// Adds a member to an order-independent combination of digests.
    public mutating func add(_ other: Digest) {
        let (sum, carry) = low.addingReportingOverflow(other.low)
        low = sum
        high = high &+ other.high &+ (carry ? 1 : 0)
    }

    /// Takes a member out of an order-independent combination of digests.
    public mutating func subtract(_ other: Digest) {
        let (difference, borrow) = low.subtractingReportingOverflow(other.low)
        low = difference
        high = high &- other.high &- (borrow ? 1 : 0)
    }

    /// 32 hexadecimal digits.
    public var description: String { Digest.hexadecimal(high) + Digest.hexadecimal(low) }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func sha256(of bytes: some Sequence<UInt8>) -> (UInt64, UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SHA256_DIGEST_LENGTH)) { output in
            output.initialize(repeating: 0)
            let hashed: Void? = bytes.withContiguousStorageIfAvailable {
                _ = SHA256($0.baseAddress, $0.count, output.baseAddress)
            }
            if hashed == nil {
                Array(bytes).withUnsafeBufferPointer { _ = SHA256($0.baseAddress, $0.count, output.baseAddress) }
            }
            func word(_ offset: Int) -> UInt64 {
                output[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
            }
            return (word(0), word(8))
        }
    }
}
