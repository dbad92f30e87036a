import Domain
import EnvoyAPI
import SwiftProtobuf

/// The proxy of UDP sessions.
///
/// `use_per_packet_load_balancing` stays off: a session keeps the host it was given until that host is gone or down. Choosing
/// anew for each datagram would make live and new sessions of a call agree when a worker joins, yet at the price of moving every
/// N-th *live* call to the newcomer, which knows nothing of it; and because Maglev shifts a few other keys along with those of a
/// removed host, removing a worker would move calls that never used it. A call whose session is kept goes on; a client of
/// it that begins a new session after workers have changed may reach another one.
extension Envoy_Extensions_Filters_Udp_UdpProxy_V3_UdpProxyConfig {
    init(of listener: ListenerIntent, cluster: ClusterIntent) {
        self.init()
        statPrefix = listener.name
        // Zero is accepted by Envoy and then lets no reply pass.
        if let timeout = listener.idleTimeout { idleTimeout = .init(positive: timeout) }
        hashPolicies = [cluster.hashPolicy]
        if let datagrams = listener.datagrams { upstreamSocketConfig = datagrams }
        // The plain `cluster` is deprecated. Envoy 1.36 to 1.40 remark once a listener that `matcher` is work in progress, as
        // they remark on the deprecation: between the two, this one is not going away.
        matcher.onNoMatch.action = .with {
            $0.name = "route"
            $0.typedConfig = Envoy_Extensions_Filters_Udp_UdpProxy_V3_Route.with { $0.cluster = cluster.name }.packed
        }
    }
}

extension ClusterIntent {
    /// One policy at most is allowed: a constant sends all sessions to one host, and to the same one in every cluster with that
    /// constant and those hosts.
    fileprivate var hashPolicy: Envoy_Extensions_Filters_Udp_UdpProxy_V3_UdpProxyConfig.HashPolicy {
        .with {
            if let hashKey { $0.key = hashKey } else { $0.sourceIp = true }
        }
    }
}
