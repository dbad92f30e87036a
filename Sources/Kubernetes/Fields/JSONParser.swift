/// Why bytes are no JSON (RFC 8259).
public struct JSONError: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let reason: String
    /// The byte, from 0, at which it is.
    public let offset: Int

    public var description: String { "no JSON: \(reason) at byte \(offset)" }
}

/// Reads JSON into ``FieldValue``.
///
/// What is nested deeper than ``FieldValue/maximumDepth`` reads as null: one strange object must not spoil the list it is in. Malformed
/// UTF-8 and lone surrogates become U+FFFD.
public struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let omitting: String?
    /// The name of a member of a member that is passed over.
    private let deferring: String?
    /// Where the values of such members are.
    private var deferred: [Range<Int>] = []
    private var offset = 0

    /// Reads one value, with nothing but white space around it.
    /// - Parameter omitting: the name of members to leave out wherever they are.
    public static func parse(_ bytes: [UInt8], omitting: String? = nil) throws(JSONError) -> FieldValue {
        // The closure's typed error does not reach through withUnsafeBufferPointer.
        let result: Result<FieldValue, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, omitting: omitting)
            do throws(JSONError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Reads one value but for the member `deferring` of the members of an object: in its place stands null, and its bytes are told; nil where
    /// it is not there just once.
    static func parse(
        _ bytes: [UInt8], omitting: String?, deferring: String
    ) throws(JSONError) -> (value: FieldValue, deferred: ArraySlice<UInt8>?) {
        let result: Result<(FieldValue, [Range<Int>]), JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, omitting: omitting, deferring: deferring)
            do throws(JSONError) { return .success((try parser.document(), parser.deferred)) } catch { return .failure(error) }
        }
        let (value, ranges) = try result.get()
        return (value, ranges.count == 1 ? ranges.first.map { bytes[$0] } : nil)
    }

    /// The text that the members `path` lead to, one inside the other; nil where there is none. Everything else is passed over, and what follows
    /// is not looked at: a fraction of the time that it takes to read the whole.
    static func text(at path: [String], in bytes: [UInt8]) -> String? {
        bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, omitting: nil)
            do throws(JSONError) {
                for name in path where try !parser.enter(name) { return nil }
                return try parser.value(depth: FieldValue.maximumDepth).text
            } catch {
                return nil
            }
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, omitting: String?, deferring: String? = nil) {
        self.bytes = bytes
        self.omitting = omitting
        self.deferring = deferring
    }

    private mutating func document() throws(JSONError) -> FieldValue {
        let value = try value(depth: 1)
        skipSpace()
        guard offset == bytes.count else { throw error("something follows the value") }
        return value
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(JSONError) -> FieldValue {
        skipSpace()
        guard let first = peek() else { throw error("the text ends early") }
        switch first {
        case UInt8(ascii: "{"): return depth > FieldValue.maximumDepth ? try skipNested() : try object(depth: depth)
        case UInt8(ascii: "["): return depth > FieldValue.maximumDepth ? try skipNested() : try array(depth: depth)
        case UInt8(ascii: "\""): return FieldValue(.string(try string()))
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("no value begins")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> FieldValue {
        offset += 1
        var members: [FieldObject.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return FieldValue(.object(FieldObject([]))) }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("a name in quotes must stand") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon must follow the name") }
            if key == omitting {
                try skip()
            } else if depth == 2, key == deferring {
                skipSpace()
                let start = offset
                try skip()
                deferred.append(start..<offset)
                members.append(FieldObject.Member(key: key, value: FieldValue(.null)))
            } else {
                members.append(FieldObject.Member(key: key, value: try value(depth: depth + 1)))
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else { throw error("a comma or a closing brace must stand") }
            return FieldValue(.object(FieldObject(members)))
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> FieldValue {
        offset += 1
        var elements: [FieldValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return FieldValue(.array([])) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else { throw error("a comma or a closing bracket must stand") }
            return FieldValue(.array(elements))
        }
    }

    private mutating func word(_ text: StaticString, _ kind: FieldValue.Kind) throws(JSONError) -> FieldValue {
        let length = text.utf8CodeUnitCount
        guard bytes.count - offset >= length,
            UnsafeBufferPointer(rebasing: bytes[offset..<offset + length])
                .elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: length))
        else { throw error("no value begins") }
        offset += length
        return FieldValue(kind)
    }

    private mutating func number() throws(JSONError) -> FieldValue {
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        let isZero = peek() == UInt8(ascii: "0")
        let integerDigits = skipDigits()
        guard integerDigits > 0, !isZero || integerDigits == 1 else { throw error("malformed number") }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw error("malformed number") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw error("malformed number") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let integer = Int64(text) {
            return FieldValue(isNegative && integer == 0 ? .double(-0.0) : .integer(integer))
        }
        guard let number = Double(text) else { throw error("malformed number") }
        return FieldValue(.double(number))
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
        return offset - start
    }

    // MARK: - Strings

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        try skipPlain()
        if take(UInt8(ascii: "\"")) { return String(decoding: bytes[start..<offset - 1], as: UTF8.self) }
        // Rare: an escape. What came before it is copied, then the rest piece by piece.
        var text = Array(bytes[start..<offset])
        while !take(UInt8(ascii: "\"")) {
            offset += 1
            try escape(into: &text)
            let piece = offset
            try skipPlain()
            text += bytes[piece..<offset]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Skips to the next quotation mark or backslash.
    private mutating func skipPlain() throws(JSONError) {
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else { throw error("a control character stands in a text") }
            offset += 1
        }
        throw error("a text does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw error("a text does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += UTF8.encode(try scalar()) ?? UTF8.encodedReplacementCharacter
        default: throw error("unknown escape")
        }
    }

    /// The scalar of `\u`, together with the second half of a surrogate pair.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try unit()
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        let rest = offset
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            offset = rest
            return "\u{FFFD}"
        }
        let second = try unit()
        guard (0xDC00...0xDFFF).contains(second) else {
            // It is not the other half: it stands for itself.
            offset = rest
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF))) ?? "\u{FFFD}"
    }

    private mutating func unit() throws(JSONError) -> UInt32 {
        var result: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw error("a text does not end") }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw error("four hexadecimal digits must follow \\u")
            }
            result = result << 4 | UInt32(digit)
            offset += 1
        }
        return result
    }

    // MARK: - Skipping

    /// Goes to the value of the first member `name` of the object that begins here; false when this is no object, or has none.
    private mutating func enter(_ name: String) throws(JSONError) -> Bool {
        skipSpace()
        guard take(UInt8(ascii: "{")) else { return false }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { return false }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon must follow the name") }
            if key == name { return true }
            try skip()
            skipSpace()
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    /// Skips one value without building it, however deep it is.
    private mutating func skip() throws(JSONError) {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"), UInt8(ascii: "["): _ = try skipNested()
        default: _ = try value(depth: 1)
        }
    }

    /// Skips an array or object, matching brackets only.
    private mutating func skipNested() throws(JSONError) -> FieldValue {
        var open = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                offset += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                offset += 1
            case UInt8(ascii: "\""): try skipString()
            case nil: throw error("the text ends early")
            default: offset += 1
            }
        } while open > 0
        return FieldValue(.null)
    }

    private mutating func skipString() throws(JSONError) {
        offset += 1
        while true {
            try skipPlain()
            if take(UInt8(ascii: "\"")) { return }
            offset += 1
            guard peek() != nil else { throw error("a text does not end") }
            offset += 1
        }
    }

    // MARK: - Bytes

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: offset) }
}
