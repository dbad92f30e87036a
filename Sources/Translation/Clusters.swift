import Domain
import EnvoyAPI
import Resolution
import SwiftProtobuf

extension Envoy_Config_Cluster_V3_Cluster {
    /// The cluster of `cluster`; `endpoints` stand in it unless they go by EDS.
    init(
        of cluster: ClusterIntent, endpoints: [ResolvedEndpoint], connection: ConnectionVariant, options: TranslationOptions
    ) {
        self.init()
        name = cluster.name
        switch ClusterDiscovery(of: cluster, connection: connection) {
        case .endpointDiscovery:
            type = .eds
            edsClusterConfig.edsConfig = connection.endpointSource(serverCluster: options.serverClusterName)
        case .strictDNS:
            type = .strictDns
            // AUTO prefers IPv6 and finds only ::1 for localhost.
            dnsLookupFamily = .v4Preferred
            loadAssignment = .init(of: cluster, endpoints: endpoints)
        case .static:
            type = .static
            loadAssignment = .init(of: cluster, endpoints: endpoints)
        }
        lbPolicy = .maglev
        maglevLbConfig.tableSize = .init(options.maglevTableSize.value)
        commonLbConfig = .immediateWithoutPanic
        circuitBreakers.thresholds = [.raised]
        healthChecks = cluster.healthCheck.map { [.init($0)] } ?? []
        // Without it, a removed host stays for as long as it passes its health checks.
        ignoreHealthOnHostRemoval = true
    }
}

extension Envoy_Config_Cluster_V3_Cluster.CommonLbConfig {
    /// Hosts that are down get nothing even when all are (no panic), and added hosts serve at once instead of after 1 s.
    fileprivate static var immediateWithoutPanic: Self {
        .with {
            $0.healthyPanicThreshold = .init()
            $0.updateMergeWindow = .init()
        }
    }
}

extension Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds {
    /// Every UDP session counts as a connection, every TCP connection also as a request: Envoy's 1024 would cap a cluster there.
    fileprivate static var raised: Self {
        .with {
            $0.maxConnections = 1_000_000
            $0.maxPendingRequests = 1_000_000
            $0.maxRequests = 1_000_000
        }
    }
}

extension Envoy_Config_Core_V3_HealthCheck {
    /// A TCP connect in every interval. It fails when it takes longer than the interval, or than 1 s.
    fileprivate init(_ check: HealthCheckIntent) {
        self.init()
        interval = .init(positive: check.interval)
        timeout = .init(positive: min(check.interval, .seconds(1)))
        // UDP sessions are no traffic to the health checker: without it, it would check once a minute.
        noTrafficInterval = interval
        unhealthyThreshold = 2
        healthyThreshold = 1
        tcpHealthCheck = .init()
    }
}
