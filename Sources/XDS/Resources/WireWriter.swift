/// Writes protobuf fields one by one (protobuf.dev, "Encoding"): for responses that are put together from bytes encoded earlier,
/// and for what is encoded so often that building messages would be felt.
package struct WireWriter {
    package private(set) var output: [UInt8] = []

    package var byteCount: Int { output.count }

    package init(capacity: Int = 0) { output.reserveCapacity(capacity) }

    package mutating func string(_ value: String, field: Int) {
        header(field: field, length: value.utf8.count)
        output.append(contentsOf: value.utf8)
    }

    package mutating func bytes(_ value: some Collection<UInt8>, field: Int) {
        header(field: field, length: value.count)
        output.append(contentsOf: value)
    }

    /// A number; 0, the default of proto3, is left out.
    package mutating func number(_ value: Int, field: Int) {
        guard value != 0 else { return }
        variable(field << 3)
        variable(value)
    }

    /// Appends fields that are already encoded.
    package mutating func raw(_ value: some Collection<UInt8>) { output.append(contentsOf: value) }

    /// Bytes of a length-delimited field with a value of `length` bytes.
    package static func fieldSize(ofLength length: Int, field: Int) -> Int {
        variableSize(field << 3) + variableSize(length) + length
    }

    /// Bytes that `number` writes.
    package static func numberSize(_ value: Int, field: Int) -> Int {
        value == 0 ? 0 : variableSize(field << 3) + variableSize(value)
    }

    /// Begins a length-delimited field whose value the caller writes.
    package mutating func header(field: Int, length: Int) {
        variable(field << 3 | 2)
        variable(length)
    }

    private mutating func variable(_ value: Int) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }

    private static func variableSize(_ value: Int) -> Int {
        var size = 1
        var rest = UInt64(value) >> 7
        while rest > 0 {
            size += 1
            rest >>= 7
        }
        return size
    }
}
