/// Writes protobuf fields (protobuf.dev, "Encoding"); empty ones are left out, as the default of proto3.
extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }

    mutating func appendField(_ field: Int, _ number: UInt64) {
        guard number != 0 else { return }
        appendVarint(UInt64(field) << 3)
        appendVarint(number)
    }

    mutating func appendField(_ field: Int, _ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty else { return }
        appendMessage(field, bytes)
    }

    /// A field that is written even if it is empty: an entry of a repeated field, or a message that is present.
    mutating func appendMessage(_ field: Int, _ bytes: some Collection<UInt8>) {
        appendVarint(UInt64(field) << 3 | 2)
        appendVarint(UInt64(bytes.count))
        append(contentsOf: bytes)
    }
}
