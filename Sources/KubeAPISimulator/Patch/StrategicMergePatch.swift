/// Strategic merge patch of built-in types: lists merge by key where the type says so.
enum StrategicMergePatch {
    static func apply(_ patch: JSONValue, to target: JSONValue, _ schema: Schema?) -> JSONValue {
        guard var members = patch.members else { return patch }
        if members["$patch"]?.text == "replace" {
            members["$patch"] = nil
            return .object(members)
        }
        if members["$patch"]?.text == "delete" { return [:] }
        var result = target.members ?? [:]
        for (key, value) in members {
            if let list = key.dropping(prefix: "$deleteFromPrimitiveList/") {
                let victims = Set(value.elements ?? [])
                result[list] = result[list]?.elements.map { .array($0.filter { !victims.contains($0) }) }
                continue
            }
            // The order of elements and the keys to retain: without meaning for what is simulated.
            if key.hasPrefix("$") { continue }
            let child = schema?.member(key)
            if value == .null {
                result[key] = nil
            } else if let elements = value.elements {
                result[key] = list(elements, result[key]?.elements ?? [], child)
            } else {
                result[key] = apply(value, to: result[key] ?? .null, child)
            }
        }
        return .object(result)
    }

    private static func list(_ patch: [JSONValue], _ target: [JSONValue], _ schema: Schema?) -> JSONValue {
        if schema?.listType == .set { return .array(target + patch.filter { !target.contains($0) }) }
        // Unlike an apply, a strategic merge knows a list's elements by one key.
        guard schema?.listType == .map, let key = schema?.listMapKeys.first else { return .array(patch) }
        if patch.contains(where: { $0["$patch"]?.text == "replace" }) {
            return .array(patch.filter { $0["$patch"] == nil })
        }
        var result = target
        for element in patch {
            let index = result.firstIndex { $0[key] == element[key] }
            if element["$patch"]?.text == "delete" {
                if let index { result.remove(at: index) }
            } else if let index {
                result[index] = apply(element, to: result[index], schema?.items)
            } else {
                result.append(apply(element, to: [:], schema?.items))
            }
        }
        return .array(result)
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
