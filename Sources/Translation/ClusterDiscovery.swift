public import Domain

/// How a cluster's hosts reach the Envoy; follows from what the endpoints are, rather than from what was asked for.
public enum ClusterDiscovery: Hashable, Sendable {
    /// By EDS: hosts come and go while the cluster stays byte-identical, so that no session is re-created.
    case endpointDiscovery
    /// Inline in the cluster, names looked up by the Envoy. Pods of the same cluster have to stand inline too.
    case strictDNS
    /// Inline in the cluster, addresses only. Without ADS also the pods of a `strictdns` cluster: by EDS, each cluster would open a stream.
    case `static`

    /// The discovery of `cluster`.
    /// - Parameter connection: how the Envoys that get it are connected.
    public init(of cluster: ClusterIntent, connection: ConnectionVariant = .aggregated) {
        self =
            if cluster.hasName {
                .strictDNS
            } else if connection != .aggregated && cluster.serviceDiscovery == .strictDNS {
                .static
            } else if cluster.hasSelector || cluster.serviceDiscovery == .eds {
                .endpointDiscovery
            } else {
                .static
            }
    }
}

extension ClusterIntent {
    var hasSelector: Bool {
        endpoints.contains { if case .selector = $0.host { true } else { false } }
    }

    var hasName: Bool {
        endpoints.contains { if case .name = $0.host { true } else { false } }
    }
}
