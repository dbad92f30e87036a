import Yams

extension JSONValue {
    /// Parses a YAML document, of which JSON is a part, as Kubernetes does: plain scalars by YAML's core schema.
    ///
    /// - Throws: `JSONError` when it is no YAML.
    public init(yaml text: String) throws(JSONError) {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            throw JSONError(description: "error converting YAML to JSON: \(error)")
        }
        self = node.map { Self.value(of: $0, depth: 0) } ?? .null
    }

    /// Parses each document of a YAML file; empty documents are left out.
    ///
    /// - Throws: `JSONError` when it is no YAML.
    public static func documents(yaml text: String) throws(JSONError) -> [JSONValue] {
        do {
            return try Array(Yams.compose_all(yaml: text)).map { Self.value(of: $0, depth: 0) }.filter { $0 != .null }
        } catch { throw JSONError(description: "error converting YAML to JSON: \(error)") }
    }

    private static func value(of node: Node, depth: Int) -> JSONValue {
        guard depth < 500 else { return .null }
        switch node {
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, value) in mapping { members[key.scalar?.string ?? ""] = Self.value(of: value, depth: depth + 1) }
            return .object(members)
        case .sequence(let sequence): return .array(sequence.map { value(of: $0, depth: depth + 1) })
        case .scalar(let scalar): return value(of: scalar)
        case .alias: return .null
        }
    }

    private static func value(of scalar: Node.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if let value = Int64(scalar.string) { return .integer(value) }
        // Only what starts like a number: Double also reads "infinity" and "0x1p3".
        if let first = scalar.string.utf8.first, "-+.0123456789".utf8.contains(first), !scalar.string.contains("x"),
            let value = Double(scalar.string), value.isFinite
        {
            return .number(value)
        }
        return .string(scalar.string)
    }
}
