/// Names a response of a stream. On the wire it is eight hexadecimal digits, so that every response's head has the same length.
struct Nonce: Hashable {
    static let digitCount = 8

    /// The number of the response.
    private(set) var number: UInt32

    init(number: UInt32) { self.number = number }

    /// Reads what `text` writes; nil for a text that this server never wrote.
    init?(_ text: String) {
        var text = text
        guard let number = text.withUTF8(Self.number) else { return nil }
        self.number = number
    }

    private static func number(_ digits: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard digits.count == digitCount else { return nil }
        var number: UInt32 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    /// Writes the digits, the most significant first.
    func write(_ put: (UInt8) -> Void) {
        for shift in stride(from: 28, through: 0, by: -4) {
            let value = UInt8(number >> UInt32(shift) & 15)
            put(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
        }
    }

    /// Returns this nonce, and becomes the next.
    mutating func take() -> Nonce {
        defer { number &+= 1 }
        return self
    }
}
