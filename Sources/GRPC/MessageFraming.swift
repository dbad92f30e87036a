/// The five bytes before each message: a compression flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
public enum MessageFraming {
    /// The size of the prefix in bytes.
    public static let prefixLength = 5

    /// The prefix of an uncompressed message of `length` bytes.
    public static func prefix(length: Int) -> [UInt8] {
        let length = UInt32(clamping: length)
        return [
            0, UInt8(truncatingIfNeeded: length >> 24), UInt8(truncatingIfNeeded: length >> 16),
            UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ]
    }
}
