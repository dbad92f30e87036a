import Domain
import EnvoyAPI
import SwiftProtobuf
import Testing
import Translation
import XDS

@Suite struct ListenerTests {
    typealias Listener = Envoy_Config_Listener_V3_Listener
    typealias UDPProxy = Envoy_Extensions_Filters_Udp_UdpProxy_V3_UdpProxyConfig
    typealias TCPProxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy

    private func proxy(_ intent: ListenerIntent) throws -> (Listener, UDPProxy) {
        let message: Listener = try #require(Translator().listener(intent)).decoded()
        return (message, try UDPProxy(unpackingAny: #require(message.listenerFilters.first).typedConfig))
    }

    @Test func udpListenerForwardsToItsCluster() throws {
        let resource = try #require(Translator().listener(listener(cluster: cluster(.eds, ["app=worker"], hashKey: "call"))))
        #expect(resource.type == .listener)
        #expect(resource.name == "l")
        let (message, proxy) = try proxy(listener(cluster: cluster(.eds, ["app=worker"], hashKey: "call")))
        #expect(message.name == "l")
        #expect(message.address.socketAddress.address == "0.0.0.0")
        #expect(message.address.socketAddress.portValue == 10000)
        #expect(message.address.socketAddress.protocol == .udp)
        #expect(message.filterChains.isEmpty)
        #expect(!message.hasUdpListenerConfig)
        #expect(proxy.statPrefix == "l")
        #expect(proxy.hashPolicies.map(\.key) == ["call"])
        #expect(!proxy.hasIdleTimeout)
        #expect(!proxy.hasUpstreamSocketConfig)
        let route = try Envoy_Extensions_Filters_Udp_UdpProxy_V3_Route(
            unpackingAny: proxy.matcher.onNoMatch.action.typedConfig)
        #expect(route.cluster == "c")
    }

    @Test func withoutKeyTheSourceAddressIsHashed() throws {
        let (_, proxy) = try proxy(listener(cluster: cluster(.eds, ["app=worker"])))
        #expect(proxy.hashPolicies.count == 1)
        #expect(proxy.hashPolicies.first?.sourceIp == true)
    }

    /// Zero would let no reply pass, and beyond 2^63 ns Envoy refuses the listener.
    @Test(arguments: [
        (Duration.milliseconds(90_500), Int64(90), Int32(500_000_000)),
        (.milliseconds(1), 0, 1_000_000),
        (.zero, 0, 1_000_000),
        (.seconds(-5), 0, 1_000_000),
        (.microseconds(1_999), 0, 1_999_000),
        (.seconds(Int64.max), 9_223_372_036, 0),
    ])
    func idleTimeout(_ timeout: Duration, seconds: Int64, nanoseconds: Int32) throws {
        let cluster = try cluster(.eds, ["192.0.2.1"])
        let (_, udp) = try proxy(listener(cluster: cluster, idleTimeout: timeout))
        #expect(udp.idleTimeout.seconds == seconds)
        #expect(udp.idleTimeout.nanos == nanoseconds)
        let resource = try #require(Translator().listener(listener(.tcp, cluster: cluster, idleTimeout: timeout)))
        let message = try resource.decoded(as: Listener.self)
        let tcp = try TCPProxy(unpackingAny: message.filterChains[0].filters[0].typedConfig)
        #expect(tcp.idleTimeout == udp.idleTimeout)
    }

    @Test(arguments: [(UInt64(9000), UInt64(9000)), (0, 1), (1, 1), (65535, 65535), (65536, 65535), (.max, 65535)])
    func datagramSizeIsTheSameOnBothSides(_ size: UInt64, expected: UInt64) throws {
        let (message, proxy) = try proxy(listener(cluster: cluster(.eds, ["192.0.2.1"]), maximumDatagramSize: size))
        #expect(message.udpListenerConfig.downstreamSocketConfig.maxRxDatagramSize.value == expected)
        #expect(proxy.upstreamSocketConfig.maxRxDatagramSize.value == expected)
    }

    @Test func tcpListenerIsStickyBySource() throws {
        let resource = try #require(
            Translator().listener(listener(.tcp, cluster: cluster(.eds, ["app=worker"], hashKey: "unused"))))
        let message = try resource.decoded(as: Listener.self)
        #expect(message.address.socketAddress.protocol == .tcp)
        #expect(message.listenerFilters.isEmpty)
        let proxy = try TCPProxy(unpackingAny: message.filterChains[0].filters[0].typedConfig)
        #expect(proxy.cluster == "c")
        #expect(proxy.statPrefix == "l")
        #expect(proxy.hashPolicy.count == 1)
        #expect(proxy.hashPolicy.first?.policySpecifier == .sourceIp(.init()))
    }

    @Test func withoutClusterThereIsNoListener() throws {
        #expect(try Translator().listener(listener(.tcp, cluster: nil)) == nil)
        #expect(try Translator().listener(listener(.udp, cluster: nil)) == nil)
    }

    /// What moves must not touch the listener: every session would be re-created.
    @Test func hostsDoNotShowInTheListener() throws {
        let one = try Translator().listener(listener(cluster: cluster(.eds, ["192.0.2.1"], check: .seconds(1))))
        let other = try Translator().listener(listener(cluster: cluster(.strictDNS, ["app=x", "host.example"])))
        #expect(one != nil)
        #expect(one == other)
    }
}
