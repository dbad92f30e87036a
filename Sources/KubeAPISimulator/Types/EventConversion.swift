/// Between the core/v1 form of an Event, which is stored, and the events.k8s.io/v1 form.
enum EventConversion {
    private static let names = [
        "involvedObject": "regarding", "message": "note", "reportingComponent": "reportingController",
        "source": "deprecatedSource", "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp",
        "count": "deprecatedCount",
    ]

    static func fromCore(_ event: JSONValue) -> JSONValue { rename(event, names, apiVersion: "events.k8s.io/v1") }

    static func toCore(_ event: JSONValue) -> JSONValue {
        rename(event, Dictionary(names.map { ($1, $0) }) { first, _ in first }, apiVersion: "v1")
    }

    private static func rename(_ event: JSONValue, _ names: [String: String], apiVersion: String) -> JSONValue {
        guard let members = event.members else { return event }
        var renamed = JSONValue.object(Dictionary(members.map { (names[$0] ?? $0, $1) }) { first, _ in first })
        renamed["apiVersion"] = .string(apiVersion)
        return renamed
    }
}
