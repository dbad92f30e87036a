extension Schema {
    /// Removes the members that the schema doesn't know; returns their paths.
    func prune(_ value: inout JSONValue, path: String = "") -> [String] {
        guard !isAnything else { return [] }
        switch value {
        case .object(let members):
            var unknown: [String] = []
            var kept: [String: JSONValue] = [:]
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                let memberPath = path.isEmpty ? name : "\(path).\(name)"
                guard let schema = self.member(name) else {
                    if preservesUnknownFields { kept[name] = member } else { unknown.append(memberPath) }
                    continue
                }
                var member = member
                unknown += schema.prune(&member, path: memberPath)
                kept[name] = member
            }
            value = .object(kept)
            return unknown
        case .array(var elements):
            guard let items else { return [] }
            var unknown: [String] = []
            for index in elements.indices { unknown += items.prune(&elements[index], path: "\(path)[\(index)]") }
            value = .array(elements)
            return unknown
        default: return []
        }
    }

    private var isAnything: Bool { preservesUnknownFields && properties.isEmpty && additionalProperties == nil }

    /// Fills in defaults; a null where null isn't allowed counts as absent.
    func applyDefaults(to value: inout JSONValue) {
        switch value {
        case .object(var members):
            value = .null
            for (name, schema) in properties {
                if let defaultValue = schema.defaultValue, members[name] == nil || (members[name] == .null && !schema.isNullable)
                {
                    members[name] = defaultValue
                }
            }
            for name in members.keys {
                if let schema = member(name), var child = members[name] {
                    schema.applyDefaults(to: &child)
                    members[name] = child
                }
            }
            value = .object(members)
        case .array(var elements):
            guard let items else { return }
            for index in elements.indices { items.applyDefaults(to: &elements[index]) }
            value = .array(elements)
        default: break
        }
    }
}
