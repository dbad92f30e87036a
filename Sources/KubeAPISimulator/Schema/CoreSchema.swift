// How lists of built-in types merge. Only what differs from "any member, lists whole" is said.
extension Schema {
    private static let anything = Schema(preservesUnknownFields: true)

    private static func structure(_ properties: [String: Schema]) -> Schema {
        Schema(type: "object", properties: properties, additionalProperties: anything, preservesUnknownFields: true)
    }

    private static func map(by keys: String..., items: Schema = anything) -> Schema {
        Schema(type: "array", items: items, listType: .map, listMapKeys: keys)
    }

    private static let set = Schema(type: "array", items: anything, listType: .set)

    /// `metadata` of every object.
    static let metadata = structure([
        "ownerReferences": map(by: "uid"), "finalizers": set,
        "labels": Schema(type: "object", additionalProperties: anything),
        "annotations": Schema(type: "object", additionalProperties: anything),
    ])

    private static let container = structure([
        "ports": map(by: "containerPort", "protocol"), "env": map(by: "name"), "volumeMounts": map(by: "mountPath"),
        "volumeDevices": map(by: "devicePath"),
    ])

    /// The built-in types that are served: no two of them give one path another meaning.
    static let coreType = structure([
        "metadata": metadata,
        "spec": structure([
            "containers": map(by: "name", items: container), "initContainers": map(by: "name", items: container),
            "ephemeralContainers": map(by: "name", items: container), "volumes": map(by: "name"),
            "imagePullSecrets": map(by: "name"), "hostAliases": map(by: "ip"),
            "topologySpreadConstraints": map(by: "topologyKey", "whenUnsatisfiable"), "readinessGates": Schema(type: "array"),
        ]),
        "status": structure([
            "conditions": map(by: "type"), "podIPs": map(by: "ip"), "hostIPs": Schema(type: "array"),
            "resourceClaimStatuses": map(by: "name"),
        ]),
        "secrets": map(by: "name"),
    ])
}
