/// JSON merge patch (RFC 7396).
enum MergePatch {
    static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard let members = patch.members else { return patch }
        var result = target.members ?? [:]
        for (key, value) in members {
            result[key] = value == .null ? nil : apply(value, to: result[key] ?? .null)
        }
        return .object(result)
    }
}
