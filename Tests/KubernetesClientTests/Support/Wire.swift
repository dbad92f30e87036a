/// Writes protobuf.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
    }

    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    static func message(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }

    static func envelope(_ kind: String, _ object: [UInt8]) -> [UInt8] {
        [0x6B, 0x38, 0x73, 0x00] + message(1, text(1, "v1") + text(2, kind)) + message(2, object) + text(3, "") + text(4, "")
    }
}
