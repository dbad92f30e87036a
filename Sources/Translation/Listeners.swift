import Domain
import EnvoyAPI
import SwiftProtobuf

extension Envoy_Config_Listener_V3_Listener {
    /// The listener of `listener`, which forwards to `cluster`.
    init(of listener: ListenerIntent, cluster: ClusterIntent) {
        self.init()
        name = listener.name
        switch listener.transport {
        case .udp:
            address = .init(host: "0.0.0.0", port: listener.port, protocol: .udp)
            if let datagrams = listener.datagrams { udpListenerConfig.downstreamSocketConfig = datagrams }
            listenerFilters = [
                .with {
                    $0.name = "envoy.filters.udp_listener.udp_proxy"
                    $0.typedConfig =
                        Envoy_Extensions_Filters_Udp_UdpProxy_V3_UdpProxyConfig(of: listener, cluster: cluster).packed
                }
            ]
        case .tcp:
            address = .init(host: "0.0.0.0", port: listener.port)
            let filter = Envoy_Config_Listener_V3_Filter.with {
                $0.name = "envoy.filters.network.tcp_proxy"
                $0.typedConfig = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy(of: listener, cluster: cluster).packed
            }
            filterChains = [.with { $0.filters = [filter] }]
        }
    }
}

extension ListenerIntent {
    /// The datagram size, for the socket that faces the clients and those that face the hosts: one without the other drops what
    /// is longer on the way there or on the way back. Envoy accepts 1 to 65535 bytes.
    var datagrams: Envoy_Config_Core_V3_UdpSocketConfig? {
        guard let size = maximumDatagramSize else { return nil }
        return .with { $0.maxRxDatagramSize = .init(min(max(size, 1), 65535)) }
    }
}
