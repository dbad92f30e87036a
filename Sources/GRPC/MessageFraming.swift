/// The five bytes before each message: a compression flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
public enum MessageFraming {
    /// The size of the prefix in bytes.
    public static let prefixLength = 5

    /// The prefix of an uncompressed message of `length` bytes.
    public static func prefix(length: Int) -> [UInt8] { framed([], length: length) }

    /// The same, with the message's beginning behind it: one allocation.
    static func framed(_ beginning: [UInt8], length: Int) -> [UInt8] {
        let length = UInt32(clamping: length)
        return [UInt8](unsafeUninitializedCapacity: prefixLength + beginning.count) { buffer, count in
            buffer[0] = 0
            for index in 1..<prefixLength {
                buffer[index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * (prefixLength - 1 - index)))
            }
            count = prefixLength
            for byte in beginning {
                buffer[count] = byte
                count += 1
            }
        }
    }
}
