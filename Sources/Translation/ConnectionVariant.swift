import EnvoyAPI
import SwiftProtobuf

/// How an Envoy is connected to this server; clusters differ by it, because they name the source of their endpoints.
public enum ConnectionVariant: Hashable, Sendable, CaseIterable {
    /// One ADS stream for all types, delta or state of the world.
    case aggregated
    /// A stream of its own for each type, delta; clusters whose endpoints go by EDS each open another.
    case separateDelta
    /// A stream of its own for each type, state of the world; clusters whose endpoints go by EDS each open another.
    case separateStateOfTheWorld

    /// The source from which a cluster of such an Envoy gets its endpoints.
    /// - Parameter serverCluster: the name of this server's own cluster in the Envoy's bootstrap.
    func endpointSource(serverCluster: String) -> Envoy_Config_Core_V3_ConfigSource {
        var source = Envoy_Config_Core_V3_ConfigSource()
        source.resourceApiVersion = .v3
        // While it waits for endpoints a cluster warms, and Envoy holds its ACK and, at the start, the listeners. The answer is
        // always sent, so this only bounds the stall should it be lost; Envoy's own 15 s is long for a caller. It must outlast
        // the time in which an Envoy takes in thousands of clusters at once (1 ms each), or an updated cluster would replace
        // its predecessor before its hosts arrive, and drop datagrams.
        source.initialFetchTimeout = .init(seconds: 5)
        switch self {
        case .aggregated: source.ads = .init()
        case .separateDelta: source.apiConfigSource = .service(.deltaGrpc, cluster: serverCluster)
        case .separateStateOfTheWorld: source.apiConfigSource = .service(.grpc, cluster: serverCluster)
        }
        return source
    }
}

extension Envoy_Config_Core_V3_ApiConfigSource {
    fileprivate static func service(_ form: ApiType, cluster: String) -> Self {
        .with {
            $0.apiType = form
            $0.transportApiVersion = .v3
            // Envoy's node takes some 60 KB.
            $0.setNodeOnFirstMessageOnly = true
            $0.grpcServices = [.with { $0.envoyGrpc.clusterName = cluster }]
        }
    }
}
