public import Domain
import EnvoyAPI
public import Resolution
public import XDS

/// Turns what a user asks for into Envoy resources.
///
/// Every function is total and depends on its parameters alone, so that all replicas make the same bytes. A listener never depends
/// on endpoints, and a cluster only where `clusterFollowsEndpoints` says so: what moves is in the assignment.
public struct Translator: Sendable {
    /// What may differ between installations.
    public let options: TranslationOptions

    /// Makes a translator.
    public init(options: TranslationOptions = .init()) {
        self.options = options
    }

    /// The listener, or nil for one without a cluster, which is never served.
    public func listener(_ listener: ListenerIntent) -> EncodedResource? {
        guard let cluster = listener.cluster else { return nil }
        return EncodedResource(
            .listener, name: listener.name, message: Envoy_Config_Listener_V3_Listener(of: listener, cluster: cluster))
    }

    /// The cluster.
    /// - Parameters:
    ///   - endpoints: all hosts of the cluster, in any order.
    ///   - connection: how the Envoys that get it are connected.
    public func cluster(
        _ cluster: ClusterIntent, endpoints: [ResolvedEndpoint], connection: ConnectionVariant = .aggregated
    ) -> EncodedResource {
        let message = Envoy_Config_Cluster_V3_Cluster(
            of: cluster, endpoints: endpoints, connection: connection, options: options)
        return EncodedResource(.cluster, name: cluster.name, message: message)
    }

    /// The hosts of the cluster, perhaps none, or nil when they do not go by EDS.
    /// - Parameter endpoints: all hosts of the cluster, in any order; names among them are left out.
    public func assignment(
        _ cluster: ClusterIntent, endpoints: [ResolvedEndpoint], connection: ConnectionVariant = .aggregated
    ) -> EncodedResource? {
        guard ClusterDiscovery(of: cluster, connection: connection) == .endpointDiscovery else { return nil }
        return EncodedResource(
            type: .endpoint, name: cluster.name, payload: AssignmentEncoding.bytes(of: cluster, endpoints: endpoints))
    }

    /// How the cluster's hosts reach the Envoy.
    public static func discovery(of cluster: ClusterIntent) -> ClusterDiscovery {
        ClusterDiscovery(of: cluster)
    }

    /// Whether the cluster itself, and not its assignment, changes when pods come and go.
    public static func clusterFollowsEndpoints(_ cluster: ClusterIntent, connection: ConnectionVariant = .aggregated) -> Bool {
        ClusterDiscovery(of: cluster, connection: connection) != .endpointDiscovery && cluster.hasSelector
    }
}
