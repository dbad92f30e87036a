/// Walks the fields of a protobuf message where it lies (protobuf.dev, "Encoding"); copies nothing.
public struct WireReader {
    /// One field's content.
    public enum Value {
        case number(UInt64)
        case bytes(UnsafeRawBufferPointer)
        /// A fixed32 or fixed64, which discovery does not use.
        case other
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// Set when the bytes turned out to be no message.
    public private(set) var isMalformed = false

    /// Reads `bytes`, which must outlive the reader.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next field; nil at the end, and where the bytes are malformed.
    public mutating func next() -> (field: Int, value: Value)? {
        guard offset < bytes.count, let key = varint() else { return nil }
        let field = Int(truncatingIfNeeded: key >> 3)
        switch key & 7 {
        case 0: return varint().map { (field, .number($0)) }
        case 1: return skip(8) ? (field, .other) : nil
        case 2:
            guard let count = varint(), count <= UInt64(bytes.count - offset) else { return fail() }
            let start = offset
            offset += Int(count)
            return (field, .bytes(UnsafeRawBufferPointer(rebasing: bytes[start..<offset])))
        case 5: return skip(4) ? (field, .other) : nil
        default: return fail()
        }
    }

    private mutating func varint() -> UInt64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        return fail()
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard count <= bytes.count - offset else {
            isMalformed = true
            return false
        }
        offset += count
        return true
    }

    private mutating func fail<Result>() -> Result? {
        isMalformed = true
        offset = bytes.count
        return nil
    }
}
