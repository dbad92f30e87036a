import Foundation

/// A label selector as in a query: equality and set terms, all of which must hold.
struct LabelSelector: Hashable, Sendable {
    enum Term: Hashable, Sendable {
        case among(String, Set<String>)
        case notAmong(String, Set<String>)
        case exists(String)
        case absent(String)
    }

    var terms: [Term] = []

    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    init(parsing text: String) throws(StatusError) {
        for part in Self.split(text) {
            guard let term = Self.term(part.trimmed) else {
                throw .badRequest("unable to parse requirement: found '\(part)', expected: '=', '!=', '==', 'in', notin'")
            }
            terms.append(term)
        }
    }

    private static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        return parts + (part.trimmed.isEmpty ? [] : [part])
    }

    private static func term(_ text: String) -> Term? {
        if text.hasPrefix("!") { return word(String(text.dropFirst()).trimmed).map(Term.absent) }
        for (separator, isEqual) in [("!=", false), ("==", true), ("=", true)] {
            guard let range = text.range(of: separator) else { continue }
            guard let key = word(String(text[..<range.lowerBound]).trimmed) else { return nil }
            let value = String(text[range.upperBound...]).trimmed
            guard ObjectRules.isLabelValue(value) else { return nil }
            return isEqual ? .among(key, [value]) : .notAmong(key, [value])
        }
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return word(text).map(Term.exists) }
        let values = Set(text[text.index(after: open)...].dropLast().split(separator: ",").map { String($0).trimmed })
        let words = text[..<open].split(separator: " ").map(String.init)
        guard words.count == 2, let key = word(words[0]), !values.isEmpty else { return nil }
        switch words[1] {
        case "in": return .among(key, values)
        case "notin": return .notAmong(key, values)
        default: return nil
        }
    }

    private static func word(_ text: String) -> String? {
        text.isEmpty || text.contains(where: { " !=()".contains($0) }) ? nil : text
    }

    func matches(_ labels: [String: String]) -> Bool {
        terms.allSatisfy { term in
            switch term {
            case .among(let key, let values): labels[key].map(values.contains) ?? false
            case .notAmong(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            }
        }
    }
}

/// A field selector as in a query: equality terms, all of which must hold.
struct FieldSelector: Hashable, Sendable {
    struct Term: Hashable, Sendable {
        var field: String
        var value: String
        var isEqual: Bool
    }

    var terms: [Term] = []

    /// Parses `a=b,c!=d` over the fields that `type` lets select.
    init(parsing text: String, for type: ResourceType) throws(StatusError) {
        let coreNames = [
            "regarding.kind": "involvedObject.kind", "regarding.name": "involvedObject.name",
            "regarding.namespace": "involvedObject.namespace", "regarding.uid": "involvedObject.uid",
        ]
        for part in text.split(separator: ",") {
            let isEqual = !part.contains("!=")
            let sides = String(part).components(separatedBy: isEqual ? (part.contains("==") ? "==" : "=") : "!=")
            guard sides.count == 2 else { throw .badRequest("invalid selector: '\(text)'; can't understand '\(part)'") }
            var field = sides[0].trimmed
            if type.conversion == .events { field = coreNames[field] ?? field }
            guard
                field == "metadata.name" || (field == "metadata.namespace" && type.isNamespaced)
                    || ObjectStore.selectableFields(of: type).contains(field)
            else { throw .badRequest("field label not supported: \(sides[0])") }
            terms.append(Term(field: field, value: sides[1].trimmed, isEqual: isEqual))
        }
    }

    func matches(_ object: StoredObject) -> Bool {
        terms.allSatisfy { term in
            let value =
                switch term.field {
                case "metadata.name": object.name
                case "metadata.namespace": object.namespace
                default: object.fields[term.field] ?? ""
                }
            return (value == term.value) == term.isEqual
        }
    }
}

/// Which objects of a resource a request is about.
struct ObjectFilter: Sendable {
    /// Empty means all namespaces.
    var namespace = ""
    var labels: LabelSelector?
    var fields: FieldSelector?

    func matches(_ object: StoredObject) -> Bool {
        (namespace.isEmpty || object.namespace == namespace) && (labels?.matches(object.labels) ?? true)
            && (fields?.matches(object) ?? true)
    }
}
