/// A Pod as the API server would return it.
public struct PodManifest: Sendable {
    /// Its name; its uid follows from it.
    public var name: String
    /// Its namespace.
    public var namespace: String
    /// Its labels.
    public var labels: [String: String]
    /// Its address; nil while it has none.
    public var address: String?
    /// Whether its condition `Ready` is `True`.
    public var isReady: Bool
    /// Whether it is being deleted.
    public var isTerminating = false

    /// Makes a running pod.
    public init(
        _ name: String, namespace: String = "default", labels: [String: String], address: String?, isReady: Bool = true
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.address = address
        self.isReady = isReady
    }

    /// Its uid, which is the `node.id` of its Envoy.
    public var uid: String { "uid-\(namespace)-\(name)" }

    /// The document.
    public var yaml: String {
        let labels = labels.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        let addresses = address.map { "  podIP: \($0)\n  podIPs: [{ip: \($0)}]\n" } ?? ""
        return """
            apiVersion: v1
            kind: Pod
            metadata:
              name: \(name)
              namespace: \(namespace)
              uid: \(uid)
            \(isTerminating ? "  deletionTimestamp: \"2026-01-01T00:00:00Z\"\n" : "")\
              labels: {\(labels)}
            spec:
              containers: [{name: envoy, image: envoyproxy/envoy}]
            status:
              phase: Running
            \(addresses)  conditions:
                - {type: Ready, status: "\(isReady ? "True" : "False")"}

            """
    }
}
