/// How a client wants a table.
struct TableOptions: Sendable {
    /// `None`, `Metadata` or `Object`.
    var includeObject: String

    init(_ request: APIRequest) { includeObject = request.query["includeObject"] ?? "Metadata" }
}

/// Shows objects as `kubectl get` prints them (meta.k8s.io/v1 Table).
struct Table {
    let type: ResourceType
    let options: TableOptions
    let now: Double
    /// The columns are told once in a watch.
    var omitsColumns = false

    init(_ type: ResourceType, _ options: TableOptions, now: Double) {
        self.type = type
        self.options = options
        self.now = now
    }

    func list(_ objects: [StoredObject], metadata: JSONValue) -> JSONValue {
        [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": omitsColumns ? .null : .array(type.columns.map(definition)),
            "rows": .array(objects.map { row($0.value(as: type)) }),
        ]
    }

    private func definition(_ column: PrinterColumn) -> JSONValue {
        [
            "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
            "description": .string(column.description), "priority": .integer(column.priority),
        ]
    }

    private func row(_ object: JSONValue) -> JSONValue {
        var row: JSONValue = ["cells": .array(type.columns.map { cell($0, object) })]
        switch options.includeObject {
        case "None": break
        case "Object": row["object"] = object
        default: row["object"] = PartialMetadata.object(object)
        }
        return row
    }

    private func cell(_ column: PrinterColumn, _ object: JSONValue) -> JSONValue {
        if column.path.hasPrefix("<") { return computed(column.path, object) }
        guard let value = JSONPath(column.path)?.values(in: object).first, value != .null else {
            return type.isCustom ? .null : "<none>"
        }
        switch column.type {
        case "date":
            guard let time = value.text.flatMap(Timestamp.seconds) else { return "<unknown>" }
            return .string(Timestamp.age(now - time))
        case "integer": return value.wholeNumber.map(JSONValue.integer) ?? .null
        case "number", "boolean": return value
        default:
            if let text = value.text { return .string(text) }
            return .string(value.encodedText)
        }
    }

    private func age(_ time: JSONValue?) -> JSONValue {
        guard let seconds = time?.text.flatMap(Timestamp.seconds) else { return "<unknown>" }
        return .string(Timestamp.age(now - seconds))
    }

    private func computed(_ name: String, _ object: JSONValue) -> JSONValue {
        let statuses = object["status", "containerStatuses"]?.elements ?? []
        switch name {
        case "<age>": return age(object["metadata", "creationTimestamp"])
        case "<created-at>": return object["metadata", "creationTimestamp"] ?? .null
        case "<pod-ready>":
            let ready = statuses.count { $0["ready"]?.truth == true }
            return .string("\(ready)/\(object["spec", "containers"]?.elements?.count ?? 0)")
        case "<pod-status>":
            if object["metadata", "deletionTimestamp"] != nil { return "Terminating" }
            return object["status", "reason"] ?? object["status", "phase"] ?? ""
        case "<pod-restarts>":
            return .string(String(statuses.compactMap { $0["restartCount"]?.wholeNumber }.reduce(0) { $0 &+ $1 }))
        case "<event-last-seen>":
            return age(
                object["lastTimestamp"] ?? object["deprecatedLastTimestamp"] ?? object["eventTime"]
                    ?? object["metadata", "creationTimestamp"])
        case "<event-object>":
            let about = object["regarding"] ?? object["involvedObject"]
            return .string("\(about?["kind"]?.text?.lowercased() ?? "")/\(about?["name"]?.text ?? "")")
        case "<event-message>": return object["note"] ?? object["message"] ?? ""
        default: return ""
        }
    }
}
