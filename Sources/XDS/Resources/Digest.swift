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

    /// Bytes of `description`.
    static let textSize = 32

    /// 32 hexadecimal digits.
    public var description: String {
        String(unsafeUninitializedCapacity: Digest.textSize) { buffer in
            for index in 0..<Digest.textSize {
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4)) & 15
                buffer[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return Digest.textSize
        }
    }

    // Safe to share: libcrypto's descriptions of algorithms are constant and counted by themselves; this one is never freed. Looked up by
    // name, as SHA256() does for each call, it would cost more than the digest of a short message.
    private nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    private static func sha256(of bytes: some Sequence<UInt8>) -> (UInt64, UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SHA256_DIGEST_LENGTH)) { output in
            output.initialize(repeating: 0)
            func digest(_ input: UnsafeBufferPointer<UInt8>) {
                if let algorithm, EVP_Digest(input.baseAddress, input.count, output.baseAddress, nil, algorithm, nil) == 1 {
                    return
                }
                _ = SHA256(input.baseAddress, input.count, output.baseAddress)
            }
            if bytes.withContiguousStorageIfAvailable(digest) == nil { Array(bytes).withUnsafeBufferPointer(digest) }
            func word(_ offset: Int) -> UInt64 {
                output[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
            }
            return (word(0), word(8))
        }
    }
}
