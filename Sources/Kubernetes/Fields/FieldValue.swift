/// A value of an object as its author wrote it: what YAML and JSON have in common, with the lines of the source.
///
/// Whoever builds the tree bounds its depth by ``maximumDepth``, because comparing and releasing it recurse.
public struct FieldValue: Equatable, Sendable {
    /// What the value is.
    public enum Kind: Equatable, Sendable {
        case null
        case bool(Bool)
        case integer(Int64)
        /// A number with a fraction or exponent, or beyond `Int64`.
        case double(Double)
        case string(String)
        case array([FieldValue])
        case object(FieldObject)
    }

    /// How deep arrays and objects may be nested in each other; a builder refuses what is deeper.
    public static let maximumDepth = 64

    /// What the value is.
    public var kind: Kind
    /// The line in the source where the value begins, from 1; nil when it does not come from a file.
    public var line: Int?

    /// Makes a value that begins at `line` of its source.
    public init(_ kind: Kind, line: Int? = nil) {
        self.kind = kind
        self.line = line
    }

    /// The text of a string; nil for every other kind.
    public var text: String? {
        if case .string(let text) = kind { text } else { nil }
    }

    /// The elements of an array; nil for every other kind.
    public var elements: [FieldValue]? {
        if case .array(let elements) = kind { elements } else { nil }
    }

    /// The members of an object; nil for every other kind.
    public var object: FieldObject? {
        if case .object(let object) = kind { object } else { nil }
    }

    /// The value of member `key` of an object; nil when there is none, or the value is no object.
    public subscript(key: String) -> FieldValue? { object?[key]?.value }

    /// The same object with another value of its member `key`.
    func replacing(_ key: String, with value: FieldValue) -> FieldValue {
        guard let object else { return self }
        let members = object.members.map {
            $0.key == key ? FieldObject.Member(key: key, line: $0.line, value: value) : $0
        }
        return FieldValue(.object(FieldObject(members + object.duplicates)), line: line)
    }
}

/// The members of an object in the order of the source, including keys that were written twice.
public struct FieldObject: Equatable, Sendable {
    /// A key and its value.
    public struct Member: Equatable, Sendable {
        /// The key.
        public var key: String
        /// The line of the key in its source, from 1; nil when it does not come from a file.
        public var line: Int?
        /// The value.
        public var value: FieldValue

        /// Makes a member whose key stands at `line`.
        public init(key: String, line: Int? = nil, value: FieldValue) {
            self.key = key
            self.line = line
            self.value = value
        }
    }

    /// The members, each key once: the first of equal keys.
    public let members: [Member]
    /// The members whose key an earlier member has; a decoder reports them.
    public let duplicates: [Member]

    /// Makes an object of `members` in the order of the source.
    public init(_ members: [Member]) {
        // Most objects are small: looking through them is quicker than hashing their keys.
        var seen = members.count > 16 ? Set<String>(minimumCapacity: members.count) : nil
        var first: [Member] = []
        first.reserveCapacity(members.count)
        var repeated: [Member] = []
        for member in members {
            let isNew = seen?.insert(member.key).inserted ?? !first.contains { $0.key == member.key }
            if isNew { first.append(member) } else { repeated.append(member) }
        }
        self.members = first
        duplicates = repeated
    }

    /// The member with `key`, found by walking the members.
    public subscript(key: String) -> Member? { members.first { $0.key == key } }
}
