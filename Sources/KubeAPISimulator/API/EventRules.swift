/// What an Event must satisfy. The two versions of the API differ: events.k8s.io/v1 takes new Events alone, whole and with their time;
/// core/v1 takes old ones without `eventTime`, too.
enum EventRules {
    private static let immutable = [
        "regarding", "reason", "note", "type", "action", "related", "reportingController", "reportingInstance", "eventTime",
        "deprecatedSource", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount",
    ]

    /// - Parameter former: the Event that is replaced; nil for a new one.
    static func causes(of written: JSONValue, _ type: ResourceType, former: JSONValue?) -> [StatusCause] {
        let isNew = type.conversion == .events
        // The rules are written for the newer names, and say the older ones, as the API server does.
        let event = isNew ? written : EventConversion.fromCore(written)
        var causes = event["eventTime"]?.text == nil ? namespaceCauses(of: event) : wholeCauses(of: event, isNew: isNew)
        guard isNew else { return causes }
        if let former {
            for field in immutable where !isEqual(event[field], former[field]) {
                causes.append(invalid(core(field), "field is immutable"))
            }
            if event["series"] != former["series"] { causes += seriesCauses(of: event) }
            return causes
        }
        causes += seriesCauses(of: event)
        if event["eventTime"]?.text == nil { causes.append(required("eventTime")) }
        if !["Normal", "Warning"].contains(event["type"]?.text) {
            causes.append(invalid("type", "has invalid value: \(event["type"]?.text ?? "")"))
        }
        for field in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount", "deprecatedSource"] {
            switch event[field] {
            case nil, .null, .integer(0): break
            case .object(let members) where members.isEmpty: break
            default: causes.append(invalid(core(field), "needs to be unset"))
            }
        }
        return causes
    }

    private static func namespaceCauses(of event: JSONValue) -> [StatusCause] {
        let (own, regarding) = (event["metadata", "namespace"]?.text ?? "", event["regarding", "namespace"]?.text ?? "")
        return regarding == own || (regarding.isEmpty && own == "default")
            ? [] : [invalid("involvedObject.namespace", "does not match event.namespace")]
    }

    private static func wholeCauses(of event: JSONValue, isNew: Bool) -> [StatusCause] {
        var causes: [StatusCause] = []
        let own = event["metadata", "namespace"]?.text ?? ""
        if event["regarding", "namespace"]?.text ?? "" == "", !["default", "kube-system"].contains(own) {
            causes.append(invalid("involvedObject.namespace", "does not match event.namespace"))
        }
        let controller = event["reportingController"]?.text ?? ""
        let controllerField = isNew ? "reportingController" : "reportingComponent"
        if controller.isEmpty {
            causes.append(required(controllerField))
        } else if !isQualifiedName(controller) {
            causes.append(invalid(controllerField, "name part must consist of alphanumeric characters, '-', '_' or '.'"))
        }
        for (field, limit) in [("reportingInstance", 128), ("action", 128), ("reason", 128)] {
            let text = event[field]?.text ?? ""
            if text.isEmpty { causes.append(required(field)) }
            if text.utf8.count > limit { causes.append(invalid(field, "can have at most \(limit) characters")) }
        }
        if event["note"]?.text?.utf8.count ?? 0 > 1024 { causes.append(invalid("message", "can have at most 1024 characters")) }
        return causes
    }

    private static func seriesCauses(of event: JSONValue) -> [StatusCause] {
        guard let series = event["series"], series.members != nil else { return [] }
        var causes: [StatusCause] = []
        if series["count"]?.wholeNumber ?? 0 < 2 { causes.append(invalid("series.count", "should be at least 2")) }
        if series["lastObservedTime"]?.text == nil { causes.append(required("series.lastObservedTime")) }
        return causes
    }

    /// An optional DNS subdomain and a name, such as `example.com/controller`.
    private static func isQualifiedName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.last, !name.isEmpty, parts.count <= 2, ObjectRules.isLabelValue(name) else { return false }
        return parts.count == 1 || ObjectRules.isSubdomain(parts[0])
    }

    private static func isEqual(_ one: JSONValue?, _ other: JSONValue?) -> Bool {
        (one == .null ? nil : one) == (other == .null ? nil : other)
    }

    /// The name of a field in core/v1, whose names the API server says for both versions.
    private static func core(_ field: String) -> String {
        EventConversion.toCore([field: 0]).members?.keys.first { $0 != "apiVersion" } ?? field
    }

    private static func required(_ field: String) -> StatusCause {
        StatusCause(reason: "FieldValueRequired", message: "Required value", field: field)
    }

    private static func invalid(_ field: String, _ why: String) -> StatusCause {
        StatusCause(reason: "FieldValueInvalid", message: "Invalid value: \"\": \(why)", field: field)
    }
}
