import Domain

/// A value together with where it stands.
struct Field {
    let path: FieldPath
    let value: FieldValue
    /// The line to name in diagnostics: of the key where there is one, else of the value.
    let line: Int?
}

/// An object together with where it stands.
struct ObjectField {
    let path: FieldPath
    let object: FieldObject
    let line: Int?

    /// The member `name`; nil when it is absent.
    subscript(name: String) -> Field? {
        object[name].map { Field(path: .member(path, name), value: $0.value, line: $0.line ?? line) }
    }
}

/// Reads typed values out of fields and collects a diagnostic for each that does not fit, so that one reading tells
/// everything that is wrong. Methods return nil exactly when they have reported an error.
struct FieldDecoder {
    private(set) var diagnostics: [Diagnostic] = []

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    mutating func error(_ path: FieldPath, line: Int?, _ message: String) {
        diagnostics.append(Diagnostic(.error, field: path.description, message: message, line: line))
    }

    mutating func error(_ field: Field, _ message: String) { error(field.path, line: field.line, message) }

    mutating func warning(_ field: Field, _ message: String) {
        diagnostics.append(Diagnostic(.warning, field: field.path.description, message: message, line: field.line))
    }

    // MARK: - Structure

    /// The member `name` of `parent`, which must be there.
    mutating func required(_ name: String, of parent: ObjectField, expected: String) -> Field? {
        if let field = parent[name] { return field }
        error(.member(parent.path, name), line: parent.line, "is missing: give \(expected)")
        return nil
    }

    /// The members of `field`; a key that is written twice is an error.
    mutating func object(_ field: Field, expected: String) -> ObjectField? {
        guard let object = field.value.object else {
            mismatch(field, expected: expected)
            return nil
        }
        for duplicate in object.duplicates {
            error(.key(field.path, duplicate.key), line: duplicate.line ?? field.line, "is written twice: remove one of the two")
        }
        return ObjectField(path: field.path, object: object, line: field.line)
    }

    /// The elements of `field`.
    mutating func array(_ field: Field, expected: String) -> [Field]? {
        guard let elements = field.value.elements else {
            mismatch(field, expected: expected)
            return nil
        }
        return elements.enumerated().map { index, value in
            Field(path: .element(field.path, index), value: value, line: value.line ?? field.line)
        }
    }

    /// Warns of members of `parent` that are not `known`.
    mutating func warnOfUnknownMembers(of parent: ObjectField, known: [String]) {
        for member in parent.object.members where !known.contains(member.key) {
            let nearest = NearestName.of(member.key, among: known).map { ": did you mean \($0)?" } ?? " and is ignored"
            let field = Field(
                path: .member(parent.path, DiagnosticText.escaped(member.key)), value: member.value,
                line: member.line ?? parent.line)
            warning(field, "is not known" + nearest)
        }
    }

    // MARK: - Scalars

    /// The text of `field`.
    mutating func string(_ field: Field, expected: String) -> String? {
        guard let text = field.value.text else {
            mismatch(field, expected: expected)
            return nil
        }
        return text
    }

    /// A text of 1 to `maximumLength` characters (Unicode scalars) without control characters.
    mutating func name(_ field: Field, maximumLength: Int) -> String? {
        guard let text = string(field, expected: "a name") else { return nil }
        if text.isEmpty {
            error(field, "must not be empty")
        } else if text.unicodeScalars.contains(where: DiagnosticText.isControl) {
            error(field, "must not contain control characters, as \(DiagnosticText.quoted(text)) does")
        } else if text.unicodeScalars.count > maximumLength {
            error(field, "must not be longer than \(maximumLength) characters")
        } else {
            return text
        }
        return nil
    }

    /// A whole number in `range`.
    mutating func integer(_ field: Field, in range: ClosedRange<Int64>, expected: String) -> Int64? {
        switch field.value.kind {
        case .integer(let number) where range.contains(number): return number
        case .integer(let number): error(field, "must be \(expected), not \(number)")
        case .string(let text) where Int64(text).map(range.contains) == true:
            error(field, "must be \(expected), not the text \(DiagnosticText.quoted(text)): remove the quotes")
        default: mismatch(field, expected: expected)
        }
        return nil
    }

    /// A port.
    mutating func port(_ field: Field) -> PortNumber? {
        integer(field, in: 1...65535, expected: Expected.port).flatMap { PortNumber($0) }
    }

    /// A map of labels, each value a text.
    mutating func labels(_ field: Field) -> [String: String]? {
        guard let parent = object(field, expected: "a map of labels") else { return nil }
        var labels: [String: String] = [:]
        for member in parent.object.members {
            let label = Field(path: .key(parent.path, member.key), value: member.value, line: member.line ?? parent.line)
            if let value = quotableString(label, expected: "text") { labels[member.key] = value }
        }
        return labels.count == parent.object.members.count ? labels : nil
    }

    /// A text that YAML takes for a number or a truth value when it is not quoted.
    mutating func quotableString(_ field: Field, expected: String) -> String? {
        switch field.value.kind {
        case .bool, .integer, .double:
            error(field, "must be \(expected), not \(FieldDecoder.described(field.value)): put the value in quotes")
            return nil
        default: return string(field, expected: expected)
        }
    }

    // MARK: - Words

    private mutating func mismatch(_ field: Field, expected: String) {
        if case .null = field.value.kind {
            error(field, "has no value: give \(expected)")
        } else {
            error(field, "must be \(expected), not \(FieldDecoder.described(field.value))")
        }
    }

    private static func described(_ value: FieldValue) -> String {
        switch value.kind {
        case .null: "null"
        case .bool(let bool): bool ? "true" : "false"
        case .integer(let number): "the number \(number)"
        case .double(let number): "the number \(number)"
        case .string(let text): "the text \(DiagnosticText.quoted(text))"
        case .array: "a list"
        case .object: "a map"
        }
    }
}

/// Expectations that several fields share, as messages say them.
enum Expected {
    static let port = "a port from 1 to 65535"
}
