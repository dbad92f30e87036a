public import Domain

/// The requests that write what users see on a VirtualService.
///
/// Status is written by server-side apply with `force`: a field manager owns exactly the fields of its last document. The leader's
/// manager is `xds-operator`; each replica's own entry has a manager of its own.
public enum StatusRequests {
    /// The field manager of the conditions and totals.
    public static let leaderManager = "xds-operator"
    /// The finalizer that is removed once the configuration is withdrawn.
    public static let finalizer = "l7mp.io/delete"
    private static let applyType = "application/apply-patch+yaml"
    private static let jsonPatchType = "application/json-patch+json"

    /// The field manager of a replica's entry. The API server takes 128 bytes.
    public static func entryManager(_ replica: String) -> String {
        String("\(leaderManager)-\(replica)".utf8.prefix(128)) ?? leaderManager
    }

    /// Applies conditions and totals.
    /// - Parameter resourceVersion: the version this was computed from: the server answers 409 if the object has moved on,
    ///   above all if another object has taken its name.
    public static func apply(_ summary: StatusSummary, to key: ObjectKey, resourceVersion: String) -> APIRequest {
        let conditions = summary.conditions.map { condition in
            FieldValue.map([
                "type": .text(condition.kind.rawValue), "status": .text(condition.status.rawValue),
                "observedGeneration": .number(condition.observedGeneration),
                "lastTransitionTime": .text(Timestamp.text(seconds: condition.lastTransitionSeconds)),
                "reason": .text(condition.reason), "message": .text(condition.message),
            ])
        }
        return apply(
            .map([
                "observedGeneration": .number(summary.observedGeneration), "listeners": .number(summary.listeners),
                "envoys": .text("\(summary.programmedEnvoys)/\(summary.matchedEnvoys)"),
                "programmedEnvoys": .number(summary.programmedEnvoys), "matchedEnvoys": .number(summary.matchedEnvoys),
                "conditions": .list(conditions),
            ]), to: key, resourceVersion: resourceVersion, manager: leaderManager)
    }

    /// Applies a replica's own entry, or withdraws it when `entry` is nil.
    /// - Parameter seconds: now, since 1970.
    public static func apply(
        _ entry: ReplicaEntry?, of replica: String, to key: ObjectKey, resourceVersion: String, seconds: Int64
    ) -> APIRequest {
        let entries = entry.map { entry in
            FieldValue.list([
                .map([
                    "name": .text(entry.name), "observedGeneration": .number(entry.observedGeneration),
                    "programmedEnvoys": .number(entry.programmedEnvoys), "matchedEnvoys": .number(entry.matchedEnvoys),
                    "rejectedEnvoys": .number(entry.rejectedEnvoys),
                    "message": entry.message.isEmpty ? nil : .text(entry.message),
                    "lastUpdateTime": .text(Timestamp.text(seconds: seconds)),
                ])
            ])
        }
        return apply(
            .map(["replicas": entries]), to: key, resourceVersion: resourceVersion, manager: entryManager(replica))
    }

    /// Removes the entries of replicas that are gone, whoever owns them. A test of the object's version guards the positions.
    /// - Parameter positions: where they stand in `status.replicas`.
    public static func clear(entriesAt positions: [Int], of key: ObjectKey, resourceVersion: String) -> APIRequest {
        let removals = positions.sorted(by: >).map { operation("remove", "/status/replicas/\($0)") }
        return jsonPatch(
            [operation("test", "/metadata/resourceVersion", .text(resourceVersion))] + removals,
            path: APIPath.virtualServiceStatus(key))
    }

    /// Removes our finalizer if the list is still what it was, and the object is; nil when it is not in the list.
    public static func removeFinalizer(from finalizers: [String], of key: ObjectKey, uid: String) -> APIRequest? {
        guard let position = finalizers.firstIndex(of: finalizer) else { return nil }
        return jsonPatch(
            [
                operation("test", "/metadata/uid", .text(uid)),
                operation("test", "/metadata/finalizers", .list(finalizers.map { .text($0) })),
                operation("remove", "/metadata/finalizers/\(position)"),
            ], path: APIPath.virtualService(key))
    }

    private static func apply(_ status: FieldValue, to key: ObjectKey, resourceVersion: String, manager: String) -> APIRequest {
        let document = FieldValue.map([
            "apiVersion": .text(ObjectKind.virtualService.apiVersion), "kind": .text(ObjectKind.virtualService.rawValue),
            "metadata": .map([
                "name": .text(key.name), "namespace": .text(key.namespace),
                "resourceVersion": resourceVersion.isEmpty ? nil : .text(resourceVersion),
            ]),
            "status": status,
        ])
        // JSON is YAML.
        return APIRequest(
            .patch, APIPath.virtualServiceStatus(key),
            query: [("fieldManager", manager), ("force", "true")], contentType: applyType, body: JSONText.bytes(document))
    }

    private static func operation(_ name: String, _ path: String, _ value: FieldValue? = nil) -> FieldValue {
        .map(["op": .text(name), "path": .text(path), "value": value])
    }

    private static func jsonPatch(_ operations: [FieldValue], path: String) -> APIRequest {
        APIRequest(
            .patch, path, query: [("fieldManager", leaderManager)], contentType: jsonPatchType,
            body: JSONText.bytes(.list(operations)))
    }
}
