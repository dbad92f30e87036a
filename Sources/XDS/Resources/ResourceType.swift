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
        switch typeURL {
        case ResourceType.cluster.typeURL: self = .cluster
        case ResourceType.endpoint.typeURL: self = .endpoint
        case ResourceType.listener.typeURL: self = .listener
        default: return nil
        }
    }
}

/// Some of the types. Every acknowledgement is told with one, so it must cost nothing.
public struct ResourceTypes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The one type.
    public init(_ type: ResourceType) { rawValue = 1 << UInt8(type.rawValue) }

    /// Clusters.
    public static let cluster = ResourceTypes(.cluster)
    /// Endpoints.
    public static let endpoint = ResourceTypes(.endpoint)
    /// Listeners.
    public static let listener = ResourceTypes(.listener)
}
