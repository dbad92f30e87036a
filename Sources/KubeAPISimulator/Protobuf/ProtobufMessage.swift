/// The fields of a protobuf message and the JSON members that they are.
struct ProtobufMessage: Sendable {
    indirect enum FieldType: Sendable {
        case text, integer, truth, time, microTime
        /// A map from strings to strings.
        case map
        /// `FieldsV1`: JSON text in a message.
        case rawJSON
        case message(ProtobufMessage)
        case list(FieldType)
        /// A message that is written even when the object lacks it, as Go does with structs; nothing in it matters.
        case always
    }

    var fields: [(number: UInt64, name: String, type: FieldType)]

    init(_ fields: [(UInt64, String, FieldType)]) { self.fields = fields.map { (number: $0.0, name: $0.1, type: $0.2) } }
}

extension ProtobufMessage {
    func encode(_ value: JSONValue?, to writer: inout ProtobufWriter) {
        for field in fields { Self.encode(value?[field.name], field.number, field.type, to: &writer) }
    }

    private static func encode(_ value: JSONValue?, _ number: UInt64, _ type: FieldType, to writer: inout ProtobufWriter) {
        switch type {
        case .text: writer.text(number, value)
        case .integer: writer.integer(number, value)
        case .truth: writer.truth(number, value)
        case .time, .microTime: writer.time(number, value)
        case .map: writer.map(number, value)
        case .rawJSON: if let value { writer.message(number) { $0.bytes(1, value.encoded) } }
        case .message(let message): if let value { writer.message(number) { message.encode(value, to: &$0) } }
        case .list(let element): for value in value?.elements ?? [] { encode(value, number, element, to: &writer) }
        case .always: writer.message(number) { _ in }
        }
    }

    /// Reads a message; fields that aren't declared are passed over.
    func decode(_ bytes: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) -> JSONValue {
        var reader = ProtobufReader(bytes: bytes)
        var value: JSONValue = [:]
        while let (number, content) = try reader.next() {
            guard let field = fields.first(where: { $0.number == number }) else { continue }
            try Self.decode(content, field.name, field.type, into: &value)
        }
        return value
    }

    private static func decode(
        _ content: ProtobufReader.Content, _ name: String, _ type: FieldType, into value: inout JSONValue
    ) throws(ProtobufReader.Malformed) {
        switch (type, content) {
        case (.text, .bytes(let bytes)): if !bytes.isEmpty { value[name] = .string(String(decoding: bytes, as: UTF8.self)) }
        case (.integer, .varint(let number)): value[name] = .integer(Int64(bitPattern: number))
        case (.truth, .varint(let number)): value[name] = .bool(number != 0)
        case (.time, .bytes(let bytes)), (.microTime, .bytes(let bytes)):
            let parts = try ProtobufMessage([(1, "seconds", .integer), (2, "nanos", .integer)]).decode(bytes)
            guard let seconds = parts["seconds"]?.wholeNumber, seconds > 0, seconds < 1 << 40 else { return }
            if case .time = type {
                value[name] = .string(Timestamp.text(Double(seconds)))
            } else {
                value[name] = .string(Timestamp.microText(Double(seconds) + Double(parts["nanos"]?.wholeNumber ?? 0) / 1e9))
            }
        case (.map, .bytes(let bytes)):
            let entry = try ProtobufMessage([(1, "key", .text), (2, "value", .text)]).decode(bytes)
            value[name, entry["key"]?.text ?? ""] = entry["value"] ?? ""
        case (.message(let message), .bytes(let bytes)): value[name] = try message.decode(bytes)
        case (.list(let element), _):
            var holder: JSONValue = [:]
            try decode(content, "element", element, into: &holder)
            value[name] = .array((value[name]?.elements ?? []) + [holder["element"] ?? ""])
        default: break
        }
    }
}
