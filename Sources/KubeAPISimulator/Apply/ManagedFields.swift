/// Who writes, for the managed fields.
struct FieldWriter: Sendable {
    var manager: String
    /// The present time as in `managedFields`.
    var time: String
    var subresource = ""
}

/// One entry of `metadata.managedFields`.
struct ManagedEntry: Hashable, Sendable {
    var manager: String
    var operation: String
    var apiVersion: String
    var subresource: String
    var time: String
    var fields: FieldSet

    init(_ writer: FieldWriter, operation: String, apiVersion: String, fields: FieldSet) {
        manager = writer.manager
        self.operation = operation
        self.apiVersion = apiVersion
        subresource = writer.subresource
        time = writer.time
        self.fields = fields
    }

    init(_ value: JSONValue) {
        manager = value["manager"]?.text ?? ""
        operation = value["operation"]?.text ?? "Update"
        apiVersion = value["apiVersion"]?.text ?? ""
        subresource = value["subresource"]?.text ?? ""
        time = value["time"]?.text ?? ""
        fields = FieldSet(value["fieldsV1"] ?? [:])
    }

    var value: JSONValue {
        var value: JSONValue = [
            "manager": .string(manager), "operation": .string(operation), "apiVersion": .string(apiVersion),
            "time": .string(time),
            "fieldsType": "FieldsV1", "fieldsV1": fields.value,
        ]
        if !subresource.isEmpty { value["subresource"] = .string(subresource) }
        return value
    }

    func belongs(to writer: FieldWriter, _ operation: String) -> Bool {
        manager == writer.manager && self.operation == operation && subresource == writer.subresource
    }
}

/// Keeps `metadata.managedFields`.
enum ManagedFields {
    static func entries(of object: JSONValue?) -> [ManagedEntry] {
        (object?["metadata", "managedFields"]?.elements ?? []).filter { $0["manager"] != nil }.map(ManagedEntry.init)
    }

    static func store(_ entries: [ManagedEntry], in object: inout JSONValue) {
        let kept = entries.filter { !$0.fields.isEmpty }
            .sorted { ($0.operation, $0.time, $0.manager, $0.subresource) < ($1.operation, $1.time, $1.manager, $1.subresource) }
        object["metadata", "managedFields"] = kept.isEmpty ? nil : .array(kept.map(\.value))
    }

    /// The part of an object whose ownership is tracked in a write to a subresource.
    static func tracked(_ object: JSONValue, _ type: ResourceType, subresource: String) -> JSONValue {
        if subresource == "status" { return object["status"].map { ["status": $0] } ?? [:] }
        var object = object
        object["apiVersion"] = nil
        object["kind"] = nil
        if type.hasStatus { object["status"] = nil }
        for name in [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
            "deletionTimestamp", "deletionGracePeriodSeconds",
        ] {
            object["metadata", name] = nil
        }
        if object["metadata"]?.isEmpty == true { object["metadata"] = nil }
        return object
    }

    /// Notes a write that is no apply: the writer owns what it changed, and nobody what is gone.
    static func note(update object: inout JSONValue, from former: JSONValue?, _ type: ResourceType, writer: FieldWriter) {
        let (changed, removed) = FieldSet.difference(
            former.map { tracked($0, type, subresource: writer.subresource) } ?? [:],
            tracked(object, type, subresource: writer.subresource), type.schema)
        var entries = entries(of: object)
        var own =
            entries.first { $0.belongs(to: writer, "Update") }
            ?? ManagedEntry(writer, operation: "Update", apiVersion: type.apiVersion, fields: FieldSet())
        entries.removeAll { $0.belongs(to: writer, "Update") }
        for index in entries.indices {
            entries[index].fields = entries[index].fields.subtracting(changed).subtractingTrees(removed)
        }
        let fields = own.fields.union(changed).subtractingTrees(removed)
        if fields != own.fields {
            own.fields = fields
            own.time = writer.time
            own.apiVersion = type.apiVersion
        }
        store(entries + [own], in: &object)
    }

    /// Whether two states differ at most in the times of their managed fields.
    static func equalButTime(_ one: JSONValue, _ other: JSONValue) -> Bool {
        func comparable(_ object: JSONValue) -> JSONValue {
            var object = object
            let fields = entries(of: object).map { entry -> JSONValue in
                var value = entry.value
                value["time"] = nil
                return value
            }
            object["metadata", "managedFields"] = .array(fields.sorted { $0.encodedText < $1.encodedText })
            object["metadata", "resourceVersion"] = nil
            return object
        }
        return comparable(one) == comparable(other)
    }
}
