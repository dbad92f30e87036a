import Foundation

/// Checks a value against a structural schema and words what is wrong as the API server does.
struct SchemaValidation {
    private(set) var causes: [StatusCause] = []

    /// What is wrong with `object`.
    static func causes(of object: JSONValue, _ schema: Schema) -> [StatusCause] {
        var validation = SchemaValidation()
        validation.check(object, schema, "")
        return validation.causes
    }

    private mutating func fail(_ reason: String, _ path: String, _ message: String) {
        // The root has no name of its own.
        causes.append(StatusCause(reason: reason, message: message, field: path.isEmpty ? "<nil>" : path))
    }

    private mutating func invalid(_ path: String, _ value: JSONValue, _ message: String) {
        let shown = value.members != nil || value.elements != nil ? value.encodedText : value.encodedText
        fail("FieldValueInvalid", path, "Invalid value: \(shown): \(path.isEmpty ? "<nil>" : path) in body \(message)")
    }

    private mutating func check(_ value: JSONValue, _ schema: Schema, _ path: String) {
        if value == .null && schema.isNullable { return }
        guard hasType(value, schema) else {
            let wanted = schema.isIntOrString ? "integer,string" : schema.type ?? ""
            let found = value.typeName
            fail(
                "FieldValueTypeInvalid", path,
                "Invalid value: \"\(found)\": \(path.isEmpty ? "<nil>" : path) in body must be of type \(wanted): \"\(found)\"")
            return
        }
        checkRules(value, schema.rules, path)
        switch value {
        case .object(let members): checkMembers(members, schema, path)
        case .array(let elements): checkElements(elements, schema, path)
        default: break
        }
    }

    private func hasType(_ value: JSONValue, _ schema: Schema) -> Bool {
        if schema.isIntOrString { return value.text != nil || value.wholeNumber != nil }
        switch schema.type {
        case nil: return true
        case "integer":
            guard let number = value.wholeNumber else { return false }
            return schema.rules.format != "int32" || Int32(exactly: number) != nil
        case "number":
            if case .number = value { return true }
            return value.wholeNumber != nil
        case let type: return value.typeName == type
        }
    }

    private mutating func checkMembers(_ members: [String: JSONValue], _ schema: Schema, _ path: String) {
        for name in schema.required where members[name] == nil {
            fail("FieldValueRequired", join(path, name), "Required value")
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let child = schema.member(name) {
                check(value, child, schema.properties[name] == nil ? "\(path).\(name)" : join(path, name))
            }
        }
    }

    private mutating func checkElements(_ elements: [JSONValue], _ schema: Schema, _ path: String) {
        if let items = schema.items {
            for (index, element) in elements.enumerated() { check(element, items, "\(path)[\(index)]") }
        }
        guard schema.listType != .atomic else { return }
        var seen: Set<JSONValue> = []
        for (index, element) in elements.enumerated() {
            let key = schema.listType == .map ? schema.key(of: element) ?? [:] : element
            if !seen.insert(key).inserted {
                fail("FieldValueDuplicate", "\(path)[\(index)]", "Duplicate value: \(key.encodedText)")
            }
        }
    }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

// MARK: - Rules beyond the type

extension SchemaValidation {
    private mutating func checkRules(_ value: JSONValue, _ rules: ValueRules, _ path: String) {
        if let alternatives = rules.alternatives?.elements, !alternatives.contains(value) {
            let list = alternatives.map(\.encodedText).joined(separator: ", ")
            fail("FieldValueNotSupported", path, "Unsupported value: \(value.encodedText): supported values: \(list)")
        }
        switch value {
        case .integer(let number): checkNumber(Double(number), value, rules, path)
        case .number(let number): checkNumber(number, value, rules, path)
        case .string(let text): checkText(text, rules, path)
        case .array(let elements): checkCount(elements, rules, path)
        case .object(let members): checkCount(members, rules, path)
        default: break
        }
        checkCombinations(value, rules, path)
    }

    private mutating func checkNumber(_ number: Double, _ value: JSONValue, _ rules: ValueRules, _ path: String) {
        if let minimum = rules.minimum, rules.isMinimumExclusive ? number <= minimum : number < minimum {
            let bound = JSONValue.number(minimum).encodedText
            invalid(path, value, "should be greater than \(rules.isMinimumExclusive ? "" : "or equal to ")\(bound)")
        }
        if let maximum = rules.maximum, rules.isMaximumExclusive ? number >= maximum : number > maximum {
            let bound = JSONValue.number(maximum).encodedText
            invalid(path, value, "should be less than \(rules.isMaximumExclusive ? "" : "or equal to ")\(bound)")
        }
        if let divisor = rules.multipleOf, divisor > 0, number.remainder(dividingBy: divisor) != 0 {
            invalid(path, value, "should be a multiple of \(JSONValue.number(divisor).encodedText)")
        }
    }

    private mutating func checkText(_ text: String, _ rules: ValueRules, _ path: String) {
        let length = Int64(text.unicodeScalars.count)
        if let limit = rules.maxLength, length > limit {
            fail("FieldValueTooLong", path, "Too long: may not be more than \(limit) bytes")
        }
        if let limit = rules.minLength, length < limit {
            invalid(path, .string(text), "should be at least \(limit) chars long")
        }
        if let pattern = rules.pattern,
            pattern.expression.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) == nil
        {
            invalid(path, .string(text), "should match '\(pattern.text)'")
        }
        if rules.format == "date-time", Timestamp.seconds(text) == nil {
            invalid(path, .string(text), "must be of type date-time: \(JSONValue.string(text).encodedText)")
        }
    }

    private mutating func checkCount(_ elements: [JSONValue], _ rules: ValueRules, _ path: String) {
        if let limit = rules.maxItems, elements.count > limit {
            fail("FieldValueTooMany", path, "Too many: \(elements.count): must have at most \(limit) items")
        }
        if let limit = rules.minItems, elements.count < limit {
            invalid(path, .integer(Int64(elements.count)), "should have at least \(limit) items")
        }
        if rules.hasUniqueItems, Set(elements).count < elements.count {
            invalid(path, .array(elements), "shouldn't contain duplicates")
        }
    }

    private mutating func checkCount(_ members: [String: JSONValue], _ rules: ValueRules, _ path: String) {
        if let limit = rules.maxProperties, members.count > limit {
            fail("FieldValueTooMany", path, "Too many: \(members.count): must have at most \(limit) items")
        }
        if let limit = rules.minProperties, members.count < limit {
            invalid(path, .integer(Int64(members.count)), "should have at least \(limit) properties")
        }
    }

    private mutating func checkCombinations(_ value: JSONValue, _ rules: ValueRules, _ path: String) {
        let name = path.isEmpty ? "<nil>" : path
        func matching(_ schemas: [Schema]) -> Int { schemas.count { Self.causes(of: value, $0).isEmpty } }
        func fail(_ message: String) {
            causes.append(
                StatusCause(
                    reason: "FieldValueInvalid", message: "Invalid value: \(value.encodedText): \(message)",
                    field: path.isEmpty ? "<nil>" : path))
        }
        if !rules.oneOf.isEmpty {
            let count = matching(rules.oneOf)
            let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
            if count != 1 { fail("\"\(name)\" must validate one and only one schema (oneOf). \(found)") }
        }
        if !rules.anyOf.isEmpty, matching(rules.anyOf) == 0 {
            fail("\"\(name)\" must validate at least one schema (anyOf)")
        }
        if matching(rules.allOf) < rules.allOf.count { fail("\"\(name)\" must validate all the schemas (allOf)") }
        if let not = rules.not, Self.causes(of: value, not).isEmpty {
            fail("\"\(name)\" must not validate the schema (not)")
        }
    }
}
