/// A type of xDS resource that this server serves.
public enum ResourceType: Int, Hashable, Sendable, CaseIterable {
    /// `envoy.config.cluster.v3.Cluster`, by CDS.
    case cluster
    /// `envoy.config.endpoint.v3.ClusterLoadAssignment`, by EDS.
    case endpoint
    /// `envoy.config.listener.v3.Listener`, by LDS.
    case listener

    /// The type URL that names the type in requests, responses and `Any`.
    public var typeURL: String {
        switch self {
        case .cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        case .endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
        case .listener: "type.googleapis.com/envoy.config.listener.v3.Listener"
        }
    }

    /// The type with `typeURL`, or nil when this server does not serve it.
    public init?(typeURL: String) {
        guard let type = ResourceType.allCases.first(where: { $0.typeURL == typeURL }) else { return nil }
        self = type
    }
}
