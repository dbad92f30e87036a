import Domain
import EnvoyAPI
import Resolution
import SwiftProtobuf
import Testing
import Translation
import XDS

@Suite struct ClusterTests {
    typealias Cluster = Envoy_Config_Cluster_V3_Cluster

    @Test(arguments: [
        (ServiceDiscovery.eds, ["app=a"], ClusterDiscovery.endpointDiscovery, false),
        (.strictDNS, ["app=a"], .endpointDiscovery, false),
        (.strictDNS, ["app=a", "192.0.2.1"], .endpointDiscovery, false),
        (.eds, ["192.0.2.1"], .endpointDiscovery, false),
        (.strictDNS, ["192.0.2.1", "2001:db8::1"], .static, false),
        (.strictDNS, ["host.example"], .strictDNS, false),
        (.strictDNS, ["host.example", "192.0.2.1"], .strictDNS, false),
        (.eds, ["host.example"], .strictDNS, false),
        (.eds, ["app=a", "host.example"], .strictDNS, true),
        (.strictDNS, ["host.example", "app=a"], .strictDNS, true),
        (.eds, [], .endpointDiscovery, false),
        (.strictDNS, [], .static, false),
    ])
    func discovery(_ asked: ServiceDiscovery, _ hosts: [String], expected: ClusterDiscovery, followsEndpoints: Bool) throws {
        let cluster = try cluster(asked, hosts)
        #expect(Translator.discovery(of: cluster) == expected)
        #expect(Translator.clusterFollowsEndpoints(cluster) == followsEndpoints)
        let endpoints = try [endpoint("192.0.2.7"), endpoint("name.example")]
        let message = try Translator().cluster(cluster, endpoints: endpoints).decoded(as: Cluster.self)
        let inline = message.loadAssignment.endpoints.flatMap(\.lbEndpoints).map(\.endpoint.address.socketAddress.address)
        switch expected {
        case .endpointDiscovery:
            #expect(message.type == .eds)
            #expect(!message.hasLoadAssignment)
            #expect(message.edsClusterConfig.edsConfig.ads == .init())
            #expect(message.edsClusterConfig.edsConfig.resourceApiVersion == .v3)
            #expect(message.edsClusterConfig.edsConfig.initialFetchTimeout.seconds == 5)
        case .strictDNS:
            #expect(message.type == .strictDns)
            #expect(message.dnsLookupFamily == .v4Preferred)
            #expect(inline == ["192.0.2.7", "name.example"])
        case .static:
            #expect(message.type == .static)
            // A name is not allowed here and would have the cluster rejected.
            #expect(inline == ["192.0.2.7"])
        }
        #expect(message.hasEdsClusterConfig == (expected == .endpointDiscovery))
        #expect((Translator().assignment(cluster, endpoints: endpoints) != nil) == (expected == .endpointDiscovery))
    }

    @Test func everyClusterIsReadyForManySessionsAndQuickChanges() throws {
        let message = try Translator().cluster(cluster(.eds, ["app=a"]), endpoints: []).decoded(as: Cluster.self)
        #expect(message.name == "c")
        #expect(message.lbPolicy == .maglev)
        #expect(message.maglevLbConfig.tableSize.value == 1009)
        #expect(message.commonLbConfig.hasHealthyPanicThreshold)
        #expect(message.commonLbConfig.healthyPanicThreshold.value == 0)
        #expect(message.commonLbConfig.hasUpdateMergeWindow)
        #expect(message.commonLbConfig.updateMergeWindow == .init())
        #expect(message.ignoreHealthOnHostRemoval)
        #expect(message.circuitBreakers.thresholds.map(\.maxConnections.value) == [1_000_000])
        #expect(message.circuitBreakers.thresholds.map(\.maxPendingRequests.value) == [1_000_000])
        #expect(message.circuitBreakers.thresholds.map(\.maxRequests.value) == [1_000_000])
        #expect(message.healthChecks.isEmpty)
    }

    @Test(arguments: [
        (Duration.milliseconds(500), Duration.milliseconds(500), Duration.milliseconds(500)),
        (.milliseconds(1000), .milliseconds(1000), .milliseconds(1000)),
        (.milliseconds(2500), .milliseconds(2500), .milliseconds(1000)),
        (.milliseconds(1), .milliseconds(1), .milliseconds(1)),
        (.zero, .milliseconds(1), .milliseconds(1)),
    ])
    func healthCheck(_ asked: Duration, interval: Duration, timeout: Duration) throws {
        let message = try Translator().cluster(cluster(.eds, ["app=a"], check: asked), endpoints: []).decoded(as: Cluster.self)
        let check = try #require(message.healthChecks.first)
        #expect(message.healthChecks.count == 1)
        #expect(check.interval.timeInterval == interval / .seconds(1))
        #expect(check.timeout.timeInterval == timeout / .seconds(1))
        #expect(check.noTrafficInterval == check.interval)
        #expect(check.unhealthyThreshold.value == 2)
        #expect(check.healthyThreshold.value == 1)
        #expect(check.healthChecker == .tcpHealthCheck(.init()))
    }

    /// Pods that come and go leave an EDS cluster alone, and change the one that has them inline.
    @Test func onlyInlineHostsShowInTheCluster() throws {
        let translator = Translator()
        let eds = try cluster(.eds, ["app=a"])
        let before = try translator.cluster(eds, endpoints: [endpoint("192.0.2.1")])
        #expect(before == translator.cluster(eds, endpoints: []))
        let mixed = try cluster(.eds, ["app=a", "host.example"])
        let inline = try translator.cluster(mixed, endpoints: [endpoint("192.0.2.1")])
        #expect(inline != translator.cluster(mixed, endpoints: []))
    }

    @Test func tableSizeIsAnOption() throws {
        let size = try #require(MaglevTableSize(65537))
        let translator = Translator(options: .init(maglevTableSize: size))
        let message = try translator.cluster(cluster(.eds, ["app=a"]), endpoints: []).decoded(as: Cluster.self)
        #expect(message.maglevLbConfig.tableSize.value == 65537)
    }

    @Test(arguments: [
        (1009, true), (65537, true), (2, true), (5_000_011, true), (5_000_039, false), (1, false), (0, false), (-7, false),
        (1001, false),
        (1022117, false), (Int.max, false),
    ])
    func tableSizesArePrimes(_ size: Int, isAccepted: Bool) {
        #expect((MaglevTableSize(size) != nil) == isAccepted)
    }
}
