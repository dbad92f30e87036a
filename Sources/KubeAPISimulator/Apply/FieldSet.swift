/// Which fields a manager owns: the tree of `fieldsV1`, whose keys name members (`f:spec`), elements by key
/// (`k:{"type":"Ready"}`) and elements by value (`v:"a"`).
struct FieldSet: Hashable, Sendable {
    /// Whether the field itself is owned, `.` in JSON.
    var isOwned = false
    var children: [String: FieldSet] = [:]

    static let leaf = FieldSet(isOwned: true)

    var isEmpty: Bool { !isOwned && children.isEmpty }

    init(isOwned: Bool = false, children: [String: FieldSet] = [:]) {
        self.isOwned = isOwned
        self.children = children
    }

    init(_ value: JSONValue, isRoot: Bool = true) {
        for (key, child) in value.members ?? [:] {
            if key == "." { isOwned = true } else { children[key] = FieldSet(child, isRoot: false) }
        }
        if children.isEmpty && !isRoot { isOwned = true }
    }

    var value: JSONValue {
        var members = children.mapValues(\.value)
        if isOwned && !children.isEmpty { members["."] = [:] }
        return .object(members)
    }

    func union(_ other: FieldSet) -> FieldSet {
        FieldSet(isOwned: isOwned || other.isOwned, children: children.merging(other.children) { $0.union($1) })
    }

    /// Without the fields that `other` owns.
    func subtracting(_ other: FieldSet) -> FieldSet {
        var result = self
        if other.isOwned { result.isOwned = false }
        for (key, child) in other.children {
            guard let own = result.children[key] else { continue }
            let rest = own.subtracting(child)
            result.children[key] = rest.isEmpty ? nil : rest
        }
        return result
    }

    /// Without the fields that `other` owns and everything below those that it owns as leaves.
    func subtractingTrees(_ other: FieldSet) -> FieldSet {
        if other.isOwned && other.children.isEmpty { return FieldSet() }
        var result = self
        if other.isOwned { result.isOwned = false }
        for (key, child) in other.children {
            guard let own = result.children[key] else { continue }
            let rest = own.subtractingTrees(child)
            result.children[key] = rest.isEmpty ? nil : rest
        }
        return result
    }
}

/// A field that the type does not declare.
struct UndeclaredField: Error {
    var path: String
}

extension FieldSet {
    /// The fields that `value` sets, as an apply owns them.
    ///
    /// - Parameters:
    ///   - isStrict: whether a field that the schema lacks is an error.
    ///   - ownsMaps: whether objects with members are owned themselves, as after an update.
    static func fields(
        of value: JSONValue, _ schema: Schema?, isStrict: Bool = false, ownsMaps: Bool = false, path: String = ""
    ) throws(UndeclaredField) -> FieldSet {
        switch value {
        case .object(let members) where schema?.isAtomicMap != true && !members.isEmpty:
            var set = FieldSet(isOwned: ownsMaps && !path.isEmpty)
            for (name, member) in members {
                let child = schema?.member(name)
                if isStrict, child == nil, let schema, !schema.preservesUnknownFields {
                    throw UndeclaredField(path: "\(path).\(name)")
                }
                set.children["f:\(name)"] = try fields(
                    of: member, child, isStrict: isStrict, ownsMaps: ownsMaps, path: "\(path).\(name)")
            }
            return set
        case .array(let elements) where !elements.isEmpty && schema?.listType == .map:
            var set = FieldSet(isOwned: ownsMaps)
            for (index, element) in elements.enumerated() {
                var child = try fields(
                    of: element, schema?.items, isStrict: isStrict, ownsMaps: ownsMaps, path: "\(path)[\(index)]")
                child.isOwned = true
                set.children[ListElement.key(element, schema)] = child
            }
            return set
        case .array(let elements) where !elements.isEmpty && schema?.listType == .set:
            return FieldSet(
                isOwned: ownsMaps,
                children: Dictionary(elements.map { (ListElement.key($0, schema), .leaf) }) { first, _ in first })
        default: return .leaf
        }
    }

    /// What differs between two states of an object: what was added or changed, and what was removed.
    static func difference(_ old: JSONValue?, _ new: JSONValue?, _ schema: Schema?) -> (changed: FieldSet, removed: FieldSet) {
        if old == new { return (FieldSet(), FieldSet()) }
        guard let old else { return ((try? fields(of: new ?? [:], schema, ownsMaps: true, path: "-")) ?? .leaf, FieldSet()) }
        guard let new else { return (FieldSet(), (try? fields(of: old, schema, ownsMaps: true, path: "-")) ?? .leaf) }
        var pairs: [String: (JSONValue?, JSONValue?, Schema?)] = [:]
        switch (old, new) {
        case (.object(let before), .object(let after)) where schema?.isAtomicMap != true:
            for name in Set(before.keys).union(after.keys) {
                pairs["f:\(name)"] = (before[name], after[name], schema?.member(name))
            }
        case (.array(let before), .array(let after)) where schema != nil && schema?.listType != .atomic:
            for element in before { pairs[ListElement.key(element, schema), default: (nil, nil, schema?.items)].0 = element }
            for element in after { pairs[ListElement.key(element, schema), default: (nil, nil, schema?.items)].1 = element }
        default: return (.leaf, FieldSet())
        }
        var result = (changed: FieldSet(), removed: FieldSet())
        for (key, pair) in pairs {
            var part = difference(pair.0, pair.1, pair.2)
            if pair.0 == nil, !key.hasPrefix("f:") { part.changed.isOwned = true }
            if pair.1 == nil, !key.hasPrefix("f:") { part.removed.isOwned = true }
            if !part.changed.isEmpty { result.changed.children[key] = part.changed }
            if !part.removed.isEmpty { result.removed.children[key] = part.removed }
        }
        return result
    }
}

/// How field sets and merges know an element of a list.
enum ListElement {
    static func key(_ element: JSONValue, _ schema: Schema?) -> String {
        schema?.listType == .map ? "k:" + (schema?.key(of: element) ?? [:]).encodedText : "v:" + element.encodedText
    }

    /// A path element as messages show it, such as `.spec` or `[type="Ready"]`.
    static func shown(_ key: String) -> String {
        if key.hasPrefix("f:") { return "." + key.dropFirst(2) }
        let text = String(key.dropFirst(2))
        guard key.hasPrefix("k:"), let members = try? JSONValue(parsing: text.utf8).members else { return "[=\(text)]" }
        return "[" + members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.encodedText)" }.joined(separator: ",") + "]"
    }
}
