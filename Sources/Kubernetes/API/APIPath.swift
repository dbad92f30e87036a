public import Domain

/// Paths of the objects that the operator writes, not percent-encoded: the client does that.
public enum APIPath {
    /// A VirtualService.
    public static func virtualService(_ key: ObjectKey) -> String {
        "/apis/\(ObjectKind.virtualService.apiVersion)/namespaces/\(key.namespace)/virtualservices/\(key.name)"
    }

    /// The status of a VirtualService.
    public static func virtualServiceStatus(_ key: ObjectKey) -> String { virtualService(key) + "/status" }

    /// The leases of a namespace.
    public static func leases(namespace: String) -> String {
        "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases"
    }

    /// A lease.
    public static func lease(_ key: ObjectKey) -> String { "\(leases(namespace: key.namespace))/\(key.name)" }

    /// The events of a namespace.
    public static func events(namespace: String) -> String {
        "/apis/events.k8s.io/v1/namespaces/\(namespace)/events"
    }
}
