import Kubernetes

/// Judges values by a structural schema as the API server does, as far as the project's own schema goes: a keyword that is not known
/// here is a fault of the test.
struct StructuralSchema {
    let schema: FieldValue

    private static let known: Set<String> = [
        "type", "format", "description", "properties", "required", "additionalProperties", "items", "enum", "minimum", "maximum",
        "minLength", "maxLength", "pattern", "minProperties", "oneOf", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    ]

    /// Why `value` is refused, with paths; empty when it is accepted.
    func faults(of value: FieldValue) -> [String] { faults(value, schema, "") }

    /// Where the schema itself breaks the rules of structural schemas (Kubernetes documentation, "Specifying a structural schema").
    func breaches() -> [String] { breaches(schema, "") }

    // MARK: - Values

    private func faults(_ value: FieldValue, _ schema: FieldValue, _ path: String) -> [String] {
        var faults = typeFaults(value, schema, path)
        guard faults.isEmpty else { return faults }
        if let allowed = schema["enum"]?.elements, !allowed.contains(where: { $0.text == value.text }) {
            faults.append("\(path): enum")
        }
        switch value.kind {
        case .integer(let number):
            if case .integer(let least) = schema["minimum"]?.kind, number < least { faults.append("\(path): minimum") }
            if case .integer(let most) = schema["maximum"]?.kind, number > most { faults.append("\(path): maximum") }
        case .string(let text): faults += stringFaults(text, schema, path)
        case .array(let elements): faults += arrayFaults(elements, schema, path)
        case .object(let object): faults += objectFaults(object, schema, path)
        default: break
        }
        if let branches = schema["oneOf"]?.elements {
            let count = branches.count { self.faults(value, $0, path).isEmpty }
            if count != 1 { faults.append("\(path): oneOf") }
        }
        return faults
    }

    private func typeFaults(_ value: FieldValue, _ schema: FieldValue, _ path: String) -> [String] {
        let isRight =
            switch (schema["type"]?.text, value.kind) {
            case (nil, _), ("object", .object), ("array", .array), ("string", .string), ("integer", .integer), ("boolean", .bool):
                true
            case ("integer", .double(let number)): number == number.rounded()
            default: false
            }
        return isRight ? [] : ["\(path): type"]
    }

    private func stringFaults(_ text: String, _ schema: FieldValue, _ path: String) -> [String] {
        var faults: [String] = []
        let count = Int64(text.unicodeScalars.count)
        if case .integer(let least) = schema["minLength"]?.kind, count < least { faults.append("\(path): minLength") }
        if case .integer(let most) = schema["maxLength"]?.kind, count > most { faults.append("\(path): maxLength") }
        if schema["pattern"] != nil, text.isEmpty || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        {
            faults.append("\(path): pattern")
        }
        return faults
    }

    private func arrayFaults(_ elements: [FieldValue], _ schema: FieldValue, _ path: String) -> [String] {
        var faults: [String] = []
        if let items = schema["items"] {
            for (index, element) in elements.enumerated() { faults += self.faults(element, items, "\(path)[\(index)]") }
        }
        if schema["x-kubernetes-list-type"]?.text == "map", let keys = schema["x-kubernetes-list-map-keys"]?.elements {
            let values = elements.map { element in keys.map { element[$0.text ?? ""]?.text } }
            if Set(values).count != values.count { faults.append("\(path): duplicate key") }
        }
        return faults
    }

    private func objectFaults(_ object: FieldObject, _ schema: FieldValue, _ path: String) -> [String] {
        var faults: [String] = []
        for name in schema["required"]?.elements ?? [] where object[name.text ?? ""] == nil {
            faults.append("\(path).\(name.text ?? ""): required")
        }
        if case .integer(let least) = schema["minProperties"]?.kind, object.members.count < least {
            faults.append("\(path): minProperties")
        }
        for member in object.members {
            // A member that is not known is pruned.
            guard let member = (schema["properties"]?[member.key] ?? schema["additionalProperties"]).map({ (member, $0) }) else {
                continue
            }
            faults += self.faults(member.0.value, member.1, "\(path).\(member.0.key)")
        }
        return faults
    }

    // MARK: - The schema itself

    private func breaches(_ schema: FieldValue, _ path: String) -> [String] {
        var breaches = (schema.object?.members ?? []).filter { !StructuralSchema.known.contains($0.key) }.map {
            "\(path): \($0.key)"
        }
        if schema["type"] == nil { breaches.append("\(path): no type") }
        if schema["properties"] != nil, schema["additionalProperties"] != nil {
            breaches.append("\(path): both kinds of properties")
        }
        if schema["type"]?.text == "array", schema["items"] == nil { breaches.append("\(path): no items") }
        if let pattern = schema["pattern"]?.text, pattern != #"^[^\x00-\x1F\x7F]+$"# {
            breaches.append("\(path): unknown pattern")
        }
        if schema["x-kubernetes-list-type"]?.text == "map" {
            let required = schema["items"]?["required"]?.elements?.compactMap(\.text) ?? []
            for key in schema["x-kubernetes-list-map-keys"]?.elements ?? [] where !required.contains(key.text ?? "") {
                breaches.append("\(path): map key is not required")
            }
        }
        for branch in schema["oneOf"]?.elements ?? [] {
            breaches += (branch.object?.members ?? []).filter { $0.key != "required" }.map { "\(path): oneOf has \($0.key)" }
            for name in branch["required"]?.elements ?? [] where schema["properties"]?[name.text ?? ""] == nil {
                breaches.append("\(path): oneOf names what is no property")
            }
        }
        for name in schema["required"]?.elements ?? [] where schema["properties"]?[name.text ?? ""] == nil {
            breaches.append("\(path): requires what is no property")
        }
        for member in schema["properties"]?.object?.members ?? [] {
            // Metadata is the API server's own.
            if path.isEmpty, member.key == "metadata" { continue }
            breaches += self.breaches(member.value, "\(path).\(member.key)")
        }
        if let items = schema["items"] { breaches += self.breaches(items, "\(path)[]") }
        if let values = schema["additionalProperties"] { breaches += self.breaches(values, "\(path).*") }
        return breaches
    }
}
