import EnvoyAPI
import SwiftProtobuf

/// How an Envoy is connected to this server; clusters differ by it, because they name the source of their endpoints.
public enum ConnectionVariant: Hashable, Sendable, CaseIterable {
    /// One ADS stream for all types, delta or state of the world.
    case aggregated

    /// The source from which a cluster of such an Envoy gets its endpoints.
    var endpointSource: Envoy_Config_Core_V3_ConfigSource {
        var source = Envoy_Config_Core_V3_ConfigSource()
        source.resourceApiVersion = .v3
        // While it waits for endpoints a cluster warms, and Envoy holds its ACK and, at the start, the listeners. The answer is
        // always sent, so this only bounds the stall should it be lost; Envoy's own 15 s is long for a caller. It must outlast
        // the time in which an Envoy takes in thousands of clusters at once (1 ms each), or an updated cluster would replace
        // its predecessor before its hosts arrive, and drop datagrams.
        source.initialFetchTimeout = .init(seconds: 5)
        switch self {
        case .aggregated: source.ads = .init()
        }
        return source
    }
}
