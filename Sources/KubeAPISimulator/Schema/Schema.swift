import Foundation

/// A structural schema of a CustomResourceDefinition, or the merge rules of a built-in type.
final class Schema: Sendable {
    enum ListType: String, Sendable {
        case atomic, set, map
    }

    let type: String?
    let properties: [String: Schema]
    /// The schema of members that `properties` doesn't name.
    let additionalProperties: Schema?
    let items: Schema?
    let required: [String]
    let preservesUnknownFields: Bool
    let isIntOrString: Bool
    let isEmbeddedResource: Bool
    let isNullable: Bool
    let defaultValue: JSONValue?
    let listType: ListType
    let listMapKeys: [String]
    let isAtomicMap: Bool
    let rules: ValueRules

    /// Reads an OpenAPI v3 schema; a root's `metadata` is the object's, which the API server checks itself.
    init(parsing value: JSONValue, isRoot: Bool = false, depth: Int = 0) {
        func child(_ value: JSONValue?) -> Schema? {
            guard let value, value.members != nil, depth < 100 else { return nil }
            return Schema(parsing: value, depth: depth + 1)
        }
        type = value["type"]?.text
        var properties = (value["properties"]?.members ?? [:]).compactMapValues(child)
        isEmbeddedResource = value["x-kubernetes-embedded-resource"]?.truth ?? false
        if isRoot || isEmbeddedResource {
            let text = Schema(type: "string")
            properties["apiVersion"] = text
            properties["kind"] = text
            properties["metadata"] = .metadata
        }
        self.properties = properties
        additionalProperties =
            value["additionalProperties"]?.truth == true
            ? Schema(preservesUnknownFields: true) : child(value["additionalProperties"])
        items = child(value["items"])
        required = (value["required"]?.elements ?? []).compactMap(\.text)
        preservesUnknownFields = value["x-kubernetes-preserve-unknown-fields"]?.truth ?? false
        isIntOrString = value["x-kubernetes-int-or-string"]?.truth ?? false
        isNullable = value["nullable"]?.truth ?? false
        defaultValue = value["default"]
        listType = value["x-kubernetes-list-type"]?.text.flatMap(ListType.init) ?? .atomic
        listMapKeys = (value["x-kubernetes-list-map-keys"]?.elements ?? []).compactMap(\.text)
        isAtomicMap = value["x-kubernetes-map-type"]?.text == "atomic"
        rules = ValueRules(parsing: value, depth: depth)
    }

    /// Makes one part of the merge rules of a built-in type.
    init(
        type: String? = nil, properties: [String: Schema] = [:], additionalProperties: Schema? = nil, items: Schema? = nil,
        preservesUnknownFields: Bool = false, listType: ListType = .atomic, listMapKeys: [String] = [], isAtomicMap: Bool = false
    ) {
        self.type = type
        self.properties = properties
        self.additionalProperties = additionalProperties
        self.items = items
        self.preservesUnknownFields = preservesUnknownFields
        self.listType = listType
        self.listMapKeys = listMapKeys
        self.isAtomicMap = isAtomicMap
        required = []
        isIntOrString = false
        isEmbeddedResource = false
        isNullable = true
        defaultValue = nil
        rules = ValueRules(parsing: [:], depth: 0)
    }

    /// The schema of the member `key`; nil when the schema doesn't know it.
    func member(_ key: String) -> Schema? { properties[key] ?? additionalProperties }

    /// What identifies an element of a list of type map.
    func key(of element: JSONValue) -> JSONValue? {
        var key: [String: JSONValue] = [:]
        for name in listMapKeys {
            if let value = element[name] ?? items?.properties[name]?.defaultValue { key[name] = value }
        }
        return key.isEmpty ? nil : .object(key)
    }
}

/// What a value must satisfy besides its type.
struct ValueRules: Sendable {
    var alternatives: JSONValue?
    var minimum: Double?
    var maximum: Double?
    var isMinimumExclusive = false
    var isMaximumExclusive = false
    var multipleOf: Double?
    var minLength: Int64?
    var maxLength: Int64?
    var pattern: (text: String, expression: NSRegularExpression)?
    var minItems: Int64?
    var maxItems: Int64?
    var hasUniqueItems = false
    var minProperties: Int64?
    var maxProperties: Int64?
    var format: String?
    var oneOf: [Schema] = []
    var anyOf: [Schema] = []
    var allOf: [Schema] = []
    var not: Schema?

    init(parsing value: JSONValue, depth: Int) {
        func number(_ value: JSONValue?) -> Double? {
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        }
        func schemas(_ value: JSONValue?) -> [Schema] {
            depth < 100 ? (value?.elements ?? []).map { Schema(parsing: $0, depth: depth + 1) } : []
        }
        alternatives = value["enum"]
        minimum = number(value["minimum"])
        maximum = number(value["maximum"])
        isMinimumExclusive = value["exclusiveMinimum"]?.truth ?? false
        isMaximumExclusive = value["exclusiveMaximum"]?.truth ?? false
        multipleOf = number(value["multipleOf"])
        minLength = value["minLength"]?.wholeNumber
        maxLength = value["maxLength"]?.wholeNumber
        if let text = value["pattern"]?.text, let expression = try? NSRegularExpression(pattern: text) {
            pattern = (text, expression)
        }
        minItems = value["minItems"]?.wholeNumber
        maxItems = value["maxItems"]?.wholeNumber
        hasUniqueItems = value["uniqueItems"]?.truth ?? false
        minProperties = value["minProperties"]?.wholeNumber
        maxProperties = value["maxProperties"]?.wholeNumber
        format = value["format"]?.text
        oneOf = schemas(value["oneOf"])
        anyOf = schemas(value["anyOf"])
        allOf = schemas(value["allOf"])
        not = depth < 100 ? value["not"].map { Schema(parsing: $0, depth: depth + 1) } : nil
    }
}
