/// Walks over the fields of one protobuf message (protobuf.dev, Encoding), without copying it.
///
/// Malformed input ends the walk: what was read before counts, and ``isMalformed`` tells.
struct ProtobufReader {
    /// One field.
    struct Field {
        /// The field's number.
        let number: Int
        /// The number of a varint or fixed field; 0 for others.
        let integer: UInt64
        /// The content of a length-delimited field; empty for others.
        let bytes: ArraySlice<UInt8>

        /// The content as text.
        var text: String { String(decoding: bytes, as: UTF8.self) }
        /// The number as `int32` or `int64`.
        var signed: Int64 { Int64(bitPattern: integer) }
    }

    private var rest: ArraySlice<UInt8>
    /// Whether the message broke off or has a field that can't be.
    private(set) var isMalformed = false

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; nil at the end.
    mutating func next() -> Field? {
        guard !rest.isEmpty else { return nil }
        guard let tag = varint(), let number = Int(exactly: tag >> 3), number > 0 else { return fail() }
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return fail() }
            return Field(number: number, integer: value, bytes: [])
        case 1: return fixed(8, number)
        case 2:
            guard let length = varint(), let count = Int(exactly: length), count <= rest.count else { return fail() }
            let content = rest.prefix(count)
            rest = rest.dropFirst(count)
            return Field(number: number, integer: 0, bytes: content)
        case 5: return fixed(4, number)
        default: return fail()
        }
    }

    private mutating func fixed(_ count: Int, _ number: Int) -> Field? {
        guard rest.count >= count else { return fail() }
        let value = rest.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        rest = rest.dropFirst(count)
        return Field(number: number, integer: value, bytes: [])
    }

    private mutating func varint() -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        return nil
    }

    private mutating func fail() -> Field? {
        isMalformed = true
        rest = []
        return nil
    }
}
