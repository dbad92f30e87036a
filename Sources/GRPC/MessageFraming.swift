/// The five bytes before each message: a compression flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
public enum MessageFraming {
    /// The size of the prefix in bytes.
    public static let prefixLength = 5

    /// The prefix of an uncompressed message of `length` bytes.
    public static func prefix(length: Int) -> [UInt8] { framed([], length: length) }

    /// The same, with the message's beginning behind it: one allocation.
    static func framed(_ beginning: [UInt8], length: Int) -> [UInt8] {
        let length = UInt32(clamping: length)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefixLength + beginning.count)
        bytes.append(0)
        for index in 1..<prefixLength {
            bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(8 * (prefixLength - 1 - index))))
        }
        bytes.append(contentsOf: beginning)
        return bytes
    }
}
