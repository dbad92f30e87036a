/// Reads the protobuf wire format, field by field.
struct ProtobufReader {
    struct Malformed: Error {}

    enum Content {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed
    }

    private var bytes: ArraySlice<UInt8>

    init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The next field; nil at the end.
    mutating func next() throws(Malformed) -> (number: UInt64, content: Content)? {
        if bytes.isEmpty { return nil }
        let tag = try varint()
        switch tag & 7 {
        case 0: return (tag >> 3, .varint(try varint()))
        case 1: return (tag >> 3, try skip(8))
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.count) else { throw Malformed() }
            defer { bytes = bytes.dropFirst(Int(length)) }
            return (tag >> 3, .bytes(bytes.prefix(Int(length))))
        case 5: return (tag >> 3, try skip(4))
        default: throw Malformed()
        }
    }

    private mutating func skip(_ count: Int) throws(Malformed) -> Content {
        guard bytes.count >= count else { throw Malformed() }
        bytes = bytes.dropFirst(count)
        return .fixed
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }
}
