/// Writes the protobuf wire format.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    mutating func bytes(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    /// A string field; left out when `value` is no string.
    /// Adds fields that are encoded already.
    mutating func append(_ fields: [UInt8]) { bytes += fields }

    mutating func text(_ field: UInt64, _ value: JSONValue?) {
        if let text = value?.text { bytes(field, Array(text.utf8)) }
    }

    /// An integer field; left out when `value` is no integer.
    mutating func integer(_ field: UInt64, _ value: JSONValue?) {
        guard let number = value?.wholeNumber else { return }
        varint(field << 3)
        varint(UInt64(bitPattern: number))
    }

    mutating func truth(_ field: UInt64, _ value: JSONValue?) {
        guard let truth = value?.truth else { return }
        varint(field << 3)
        varint(truth ? 1 : 0)
    }

    mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        body(&writer)
        bytes(field, writer.bytes)
    }

    /// A map from strings to strings, sorted by key.
    mutating func map(_ field: UInt64, _ value: JSONValue?) {
        for (key, value) in (value?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            message(field) {
                $0.text(1, .string(key))
                $0.text(2, value)
            }
        }
    }

    /// A `metav1.Time` or `metav1.MicroTime`.
    mutating func time(_ field: UInt64, _ value: JSONValue?) {
        guard let seconds = value?.text.flatMap(Timestamp.seconds) else { return }
        message(field) {
            $0.integer(1, .integer(Int64(seconds.rounded(.down))))
            $0.integer(2, .integer(Int64(((seconds - seconds.rounded(.down)) * 1_000_000).rounded()) * 1000))
        }
    }
}
