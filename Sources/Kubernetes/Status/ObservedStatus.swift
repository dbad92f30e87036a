public import Domain

/// A VirtualService as the watch tells it, reduced to what status writing needs.
public struct ObservedObject: KeyedObject {
    /// Namespace and name.
    public var key: ObjectKey
    /// The identity of this incarnation.
    public var uid: String
    /// Opaque version of the object.
    public var resourceVersion: String
    /// What is in its `status`.
    public var status: ObservedStatus

    /// Makes one of an object's metadata and its `status` as it came; nil when it has none.
    public init(metadata: ObjectMetadata, status: FieldValue?) {
        key = metadata.key
        uid = metadata.uid
        resourceVersion = metadata.resourceVersion
        self.status = ObservedStatus(status)
    }
}

/// The `status` that a VirtualService has now, written by this or by another replica.
public struct ObservedStatus: Hashable, Sendable {
    /// What the leader wrote; nil while nothing of it is there.
    public var summary: StatusSummary?
    /// The replicas' entries in the order of the object, which JSON patches count by.
    public var replicas: [ReplicaEntry]

    /// Reads `status`, leniently: whoever wrote what can't be read, it counts as absent and is written anew.
    public init(_ status: FieldValue?) {
        let conditions = (status?["conditions"]?.elements ?? []).compactMap(ObservedStatus.condition)
        if let status, !conditions.isEmpty || status["observedGeneration"] != nil {
            summary = StatusSummary(
                observedGeneration: status["observedGeneration"]?.wholeNumber ?? 0,
                listeners: status.count("listeners") ?? -1,
                matchedEnvoys: status.count("matchedEnvoys") ?? -1,
                programmedEnvoys: status.count("programmedEnvoys") ?? -1,
                conditions: Condition.Kind.allCases.compactMap { kind in conditions.first { $0.kind == kind } })
        }
        replicas = (status?["replicas"]?.elements ?? []).map { entry in
            ReplicaEntry(
                name: entry["name"]?.text ?? "", observedGeneration: entry["observedGeneration"]?.wholeNumber ?? 0,
                matchedEnvoys: entry.count("matchedEnvoys") ?? 0, programmedEnvoys: entry.count("programmedEnvoys") ?? 0,
                rejectedEnvoys: entry.count("rejectedEnvoys") ?? 0, message: entry["message"]?.text ?? "")
        }
    }

    private static func condition(_ value: FieldValue) -> Condition? {
        guard let kind = value["type"]?.text.flatMap(Condition.Kind.init(rawValue:)),
            let status = value["status"]?.text.flatMap(Condition.Truth.init(rawValue:))
        else { return nil }
        return Condition(
            kind: kind, status: status, observedGeneration: value["observedGeneration"]?.wholeNumber ?? 0,
            lastTransitionSeconds: value["lastTransitionTime"]?.text.flatMap(Timestamp.seconds) ?? 0,
            reason: value["reason"]?.text ?? "", message: value["message"]?.text ?? "")
    }
}

extension FieldValue {
    // Inlined, it makes the optimiser of Swift 6.3.1 stop with "Found ownership error" (CopyPropagation).
    @inline(never)
    fileprivate var wholeNumber: Int64? {
        if case .integer(let number) = kind { number } else { nil }
    }

    /// A member that counts Envoys or listeners, within what the schema's `int32` holds.
    fileprivate func count(_ name: String) -> Int? {
        self[name]?.wholeNumber.map { Int(min(max($0, 0), Int64(Int32.max))) }
    }
}
