/// A JSON value as the API server keeps it: integers stay integers, as in Kubernetes' own decoder.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringInterpolation
{
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue {
    /// The text, if this is a string.
    public var text: String? { if case .string(let text) = self { text } else { nil } }
    /// The truth value, if this is one.
    public var truth: Bool? { if case .bool(let truth) = self { truth } else { nil } }
    /// The whole number, if this is one.
    public var wholeNumber: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
    /// The elements, if this is an array.
    public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// The members, if this is an object.
    public var members: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// The member `key`; nil when this is no object or lacks it. Setting makes an object of anything else, and nil removes.
    public subscript(key: String) -> JSONValue? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        set {
            var members: [String: JSONValue] = [:]
            if case .object(let present) = self { members = present }
            self = .null
            members[key] = newValue
            self = .object(members)
        }
    }

    /// The member at the end of a path of keys. Setting makes the objects on the way.
    public subscript(path: String...) -> JSONValue? {
        get { value(at: path[...]) }
        set { set(newValue, at: path[...]) }
    }

    /// The element `index`; nil when this is no array or too short.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    private func value(at path: ArraySlice<String>) -> JSONValue? {
        guard let key = path.first else { return self }
        return self[key]?.value(at: path.dropFirst())
    }

    private mutating func set(_ value: JSONValue?, at path: ArraySlice<String>) {
        guard let key = path.first else { return }
        if path.count == 1 {
            self[key] = value
            return
        }
        if value == nil && self[key] == nil { return }
        var child = self[key] ?? [:]
        child.set(value, at: path.dropFirst())
        self[key] = child
    }

    /// Whether it is null, or an empty object or array.
    var isEmpty: Bool {
        switch self {
        case .null: true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    /// The name of its type in an OpenAPI schema.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
