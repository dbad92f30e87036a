import Domain
import EnvoyAPI
import SwiftProtobuf

/// The proxy of TCP connections. It can hash by the source address only.
extension Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy {
    init(of listener: ListenerIntent, cluster: ClusterIntent) {
        self.init()
        statPrefix = listener.name
        self.cluster = cluster.name
        // Zero would switch the time limit off.
        if let timeout = listener.idleTimeout { idleTimeout = .init(positive: timeout) }
        hashPolicy = [.with { $0.sourceIp = .init() }]
    }
}
