public import Kubernetes

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self.init(.string(value)) }
    public init(integerLiteral value: Int64) { self.init(.integer(value)) }
    public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
    public init(floatLiteral value: Double) { self.init(.double(value)) }
    public init(nilLiteral: ()) { self.init(.null) }
    public init(arrayLiteral elements: FieldValue...) { self.init(.array(elements)) }
    public init(dictionaryLiteral elements: (String, FieldValue)...) {
        self.init(.object(FieldObject(elements.map { FieldObject.Member(key: $0, value: $1) })))
    }
}

extension FieldValue {
    /// This object with `value` at `path` (member names and element numbers), or without what is there for nil.
    func replacing(_ path: [String], with value: FieldValue?) -> FieldValue {
        guard let head = path.first else { return value ?? self }
        let rest = Array(path.dropFirst())
        var copy = self
        switch kind {
        case .array(var elements):
            guard let index = Int(head), elements.indices.contains(index) else { return self }
            if rest.isEmpty, value == nil {
                elements.remove(at: index)
            } else {
                elements[index] = elements[index].replacing(rest, with: value)
            }
            copy.kind = .array(elements)
        case .object(let object):
            var members = object.members
            if let index = members.firstIndex(where: { $0.key == head }) {
                if rest.isEmpty, value == nil {
                    members.remove(at: index)
                } else {
                    members[index].value = members[index].value.replacing(rest, with: value)
                }
            } else if rest.isEmpty, let value {
                members.append(FieldObject.Member(key: head, value: value))
            }
            copy.kind = .object(FieldObject(members))
        default: break
        }
        return copy
    }
}
