import KubeAPISimulator

/// A pod as a client creates it, and its status as a kubelet would write it.
struct ClusterPod: Sendable {
    var name: String
    var labels: [String: String]
    var address: String
    var isReady = true
    /// On a node a deleted pod lingers until a kubelet, or force, removes it.
    var node: String?

    init(_ name: String, labels: [String: String], address: String) {
        self.name = name
        self.labels = labels
        self.address = address
    }

    func object(namespace: String) -> JSONValue {
        var spec: JSONValue = [
            "automountServiceAccountToken": false, "containers": [["name": "main", "image": "registry.example/main:1"]],
        ]
        if let node { spec["nodeName"] = .string(node) }
        return [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "labels": .object(labels.mapValues { .string($0) }),
            ],
            "spec": spec,
        ]
    }

    var status: JSONValue {
        [
            "phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]],
            "conditions": [
                ["type": "Ready", "status": isReady ? "True" : "False", "lastTransitionTime": "2026-01-01T00:00:00Z"]
            ],
        ]
    }
}
