/// JSON patch (RFC 6902).
enum JSONPatch {
    struct Failure: Error, CustomStringConvertible {
        var description: String
        /// Whether the patch itself is malformed, rather than unfit for the document.
        var isMalformed = false
    }

    static func apply(_ patch: JSONValue, to document: JSONValue) throws(Failure) -> JSONValue {
        guard let operations = patch.elements else {
            throw Failure(description: "a JSON patch is a list of operations", isMalformed: true)
        }
        guard operations.count <= 10_000 else {
            throw Failure(description: "The allowed maximum operations in a JSON patch is 10000")
        }
        var document = document
        for operation in operations { try apply(operation, to: &document) }
        return document
    }

    private static func apply(_ operation: JSONValue, to document: inout JSONValue) throws(Failure) {
        guard let name = operation["op"]?.text, let path = operation["path"]?.text else {
            throw Failure(description: "an operation needs op and path", isMalformed: true)
        }
        let target = try pointer(path)
        switch name {
        case "add": try add(try value(operation), at: target[...], in: &document)
        case "remove": try remove(at: target[...], in: &document)
        case "replace":
            _ = try read(target, in: document)
            let new = try value(operation)
            if target.isEmpty { document = new } else { try change(at: target[...], in: &document) { _ in new } }
        case "test":
            guard try read(target, in: document) == value(operation) else {
                throw Failure(description: "testing value \(path) failed: test failed")
            }
        case "move":
            let source = try pointer(operation["from"]?.text ?? "")
            let moved = try read(source, in: document)
            try remove(at: source[...], in: &document)
            try add(moved, at: target[...], in: &document)
        case "copy":
            let copied = try read(try pointer(operation["from"]?.text ?? ""), in: document)
            try add(copied, at: target[...], in: &document)
        default: throw Failure(description: "Unexpected kind: \(name)", isMalformed: true)
        }
    }

    private static func value(_ operation: JSONValue) throws(Failure) -> JSONValue {
        guard let value = operation["value"] else { throw Failure(description: "missing value", isMalformed: true) }
        return value
    }

    private static func pointer(_ text: String) throws(Failure) -> [String] {
        if text.isEmpty { return [] }
        guard text.hasPrefix("/") else { throw Failure(description: "a path starts with a slash: \(text)", isMalformed: true) }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
            var key = ""
            var isEscaped = false
            for character in part {
                if isEscaped {
                    key.append(character == "1" ? "/" : "~")
                    isEscaped = false
                } else if character == "~" {
                    isEscaped = true
                } else {
                    key.append(character)
                }
            }
            return key
        }
    }

    private static func missing(_ key: String) -> Failure { Failure(description: "unable to find \"\(key)\": missing value") }

    private static func read(_ pointer: [String], in document: JSONValue) throws(Failure) -> JSONValue {
        var value = document
        for key in pointer {
            guard let next = value.elements != nil ? value[Int(key) ?? -1] : value[key] else { throw missing(key) }
            value = next
        }
        return value
    }

    private static func add(_ value: JSONValue, at pointer: ArraySlice<String>, in document: inout JSONValue) throws(Failure) {
        guard let key = pointer.first else {
            document = value
            return
        }
        if pointer.count > 1 {
            try descend(key, in: &document) { child throws(Failure) in try add(value, at: pointer.dropFirst(), in: &child) }
            return
        }
        switch document {
        case .array(var elements):
            let index = key == "-" ? elements.count : Int(key) ?? -1
            guard index >= 0, index <= elements.count else { throw Failure(description: "invalid index \(key)") }
            elements.insert(value, at: index)
            document = .array(elements)
        case .object: document[key] = value
        default: throw missing(key)
        }
    }

    private static func remove(at pointer: ArraySlice<String>, in document: inout JSONValue) throws(Failure) {
        guard let key = pointer.first else { throw Failure(description: "the whole document can't be removed") }
        if pointer.count > 1 {
            try descend(key, in: &document) { child throws(Failure) in try remove(at: pointer.dropFirst(), in: &child) }
            return
        }
        switch document {
        case .array(var elements):
            guard let index = Int(key), elements.indices.contains(index) else { throw missing(key) }
            elements.remove(at: index)
            document = .array(elements)
        case .object(var members):
            guard members.removeValue(forKey: key) != nil else { throw missing(key) }
            document = .object(members)
        default: throw missing(key)
        }
    }

    private static func change(
        at pointer: ArraySlice<String>, in document: inout JSONValue, _ body: (JSONValue) -> JSONValue
    ) throws(Failure) {
        guard let key = pointer.first else {
            document = body(document)
            return
        }
        try descend(key, in: &document) { child throws(Failure) in try change(at: pointer.dropFirst(), in: &child, body) }
    }

    private static func descend(
        _ key: String, in document: inout JSONValue, _ body: (inout JSONValue) throws(Failure) -> Void
    ) throws(Failure) {
        switch document {
        case .array(var elements):
            guard let index = Int(key), elements.indices.contains(index) else { throw missing(key) }
            try body(&elements[index])
            document = .array(elements)
        case .object(var members):
            guard var child = members[key] else { throw missing(key) }
            try body(&child)
            members[key] = child
            document = .object(members)
        default: throw missing(key)
        }
    }
}
