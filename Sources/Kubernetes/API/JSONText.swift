/// Writes values as JSON (RFC 8259), members in the order given: equal values give equal bytes.
package enum JSONText {
    /// The text of a value. Recurses as deep as the value is nested.
    package static func bytes(_ value: FieldValue) -> [UInt8] {
        var output: [UInt8] = []
        write(value, to: &output)
        return output
    }

    /// Recurses as deep as the value is nested; what is written here is built by ourselves.
    private static func write(_ value: FieldValue, to output: inout [UInt8]) {
        switch value.kind {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .integer(let number): output += String(number).utf8
        case .double(let number): output += (number.isFinite ? String(number) : "null").utf8
        case .string(let text): write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                write(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: output += "\\u00".utf8 + [hexadecimal(byte >> 4), hexadecimal(byte & 15)]
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}

extension FieldValue {
    /// An object of these members; those that are nil are left out.
    static func map(_ members: KeyValuePairs<String, FieldValue?>) -> FieldValue {
        FieldValue(
            .object(FieldObject(members.compactMap { key, value in value.map { FieldObject.Member(key: key, value: $0) } })))
    }

    static func text(_ text: String) -> FieldValue { FieldValue(.string(text)) }
    static func number(_ number: some BinaryInteger) -> FieldValue { FieldValue(.integer(Int64(clamping: number))) }
    static func list(_ elements: [FieldValue]) -> FieldValue { FieldValue(.array(elements)) }
}
