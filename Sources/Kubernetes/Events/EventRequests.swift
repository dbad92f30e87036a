import Domain

/// The requests that write `events.k8s.io/v1` Events.
enum EventRequests {
    /// The component that reports.
    static let controller = "servicemesh.l7mp.io/xds-operator"

    /// A name for an event of an object: the object's, and what makes it unique.
    static func name(of event: ServiceEvent, microseconds: Int64, sequence: UInt32) -> String {
        let suffix = String(microseconds, radix: 16) + "-" + String(sequence, radix: 16)
        // Names are DNS names of at most 253 characters; before a dot stands a letter or digit.
        let stem = String(
            event.key.name.prefix(253 - suffix.utf8.count - 1).reversed().drop { $0 == "-" || $0 == "." }.reversed())
        return "\(stem).\(suffix)"
    }

    static func create(_ event: ServiceEvent, name: String, microseconds: Int64, instance: String) -> APIRequest {
        let body = FieldValue.map([
            "apiVersion": .text("events.k8s.io/v1"), "kind": .text("Event"),
            "metadata": .map(["name": .text(name), "namespace": .text(event.key.namespace)]),
            "eventTime": .text(Timestamp.text(microseconds: microseconds)), "type": .text("Warning"),
            "reason": .text(event.reason.rawValue), "action": .text(event.action), "note": .text(event.note),
            "regarding": .map([
                "apiVersion": .text(ObjectKind.virtualService.apiVersion), "kind": .text(ObjectKind.virtualService.rawValue),
                "namespace": .text(event.key.namespace), "name": .text(event.key.name),
                "uid": event.uid.isEmpty ? nil : .text(event.uid),
            ]),
            "reportingController": .text(controller),
            "reportingInstance": .text(String(instance.utf8.prefix(128)) ?? controller),
        ])
        return APIRequest(
            .post, APIPath.events(namespace: event.key.namespace), contentType: "application/json",
            body: JSONText.bytes(body))
    }

    static func repeated(_ event: ServiceEvent, name: String, count: Int, microseconds: Int64) -> APIRequest {
        let body = FieldValue.map([
            "series": .map([
                "count": .number(count), "lastObservedTime": .text(Timestamp.text(microseconds: microseconds)),
            ])
        ])
        return APIRequest(
            .patch, "\(APIPath.events(namespace: event.key.namespace))/\(name)",
            contentType: "application/merge-patch+json", body: JSONText.bytes(body))
    }
}
