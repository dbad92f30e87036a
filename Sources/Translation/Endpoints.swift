import Domain
import EnvoyAPI
import Resolution
import SwiftProtobuf

extension Envoy_Config_Endpoint_V3_ClusterLoadAssignment {
    /// The hosts of `cluster`, in an order that does not depend on that of `endpoints`. Without hosts it has no locality, which
    /// empties a cluster that had some.
    init(of cluster: ClusterIntent, endpoints: [ResolvedEndpoint]) {
        self.init()
        clusterName = cluster.name
        let hosts = endpoints.hosts(of: cluster)
        guard !hosts.isEmpty else { return }
        self.endpoints = [
            .with {
                $0.lbEndpoints = hosts.map {
                    .init($0, isChecked: cluster.healthCheck != nil, isAlone: hosts.count == 1)
                }
            }
        ]
    }
}

extension [ResolvedEndpoint] {
    /// The hosts of `cluster` in the order in which they are encoded.
    func hosts(of cluster: ClusterIntent) -> [ResolvedEndpoint] {
        // Outside STRICT_DNS a name is invalid, and Envoy would skip other clusters' hosts along with it.
        let namesAllowed = ClusterDiscovery(of: cluster) == .strictDNS
        return filter { namesAllowed || $0.host.isAddress }.distinctHosts
    }

    /// The endpoints sorted by host and port, each host and port once: the healthiest of equals, then the one with the lowest
    /// health check port.
    var distinctHosts: [ResolvedEndpoint] {
        // As they come from the resolver they are in this order already, unless an object lists several endpoints.
        if zip(self, dropFirst()).allSatisfy({ $0.isOther(before: $1) }) { return self }
        var result: [ResolvedEndpoint] = []
        result.reserveCapacity(count)
        for endpoint in sorted(by: ResolvedEndpoint.precedes)
        where result.last?.host != endpoint.host || result.last?.port != endpoint.port {
            result.append(endpoint)
        }
        return result
    }
}

extension ResolvedEndpoint {
    fileprivate static func precedes(_ left: ResolvedEndpoint, _ right: ResolvedEndpoint) -> Bool {
        left.sortKey < right.sortKey
    }

    /// Whether this precedes `other`, and is not the same host and port.
    fileprivate func isOther(before other: ResolvedEndpoint) -> Bool {
        guard host.isAddress == other.host.isAddress else { return host.isAddress }
        let (text, otherText) = (host.text, other.host.text)
        return text == otherText ? port < other.port : text < otherText
    }

    private var sortKey: (Int, String, UInt16, Int, UInt16) {
        (host.isAddress ? 0 : 1, host.text, port.value, health.rank, healthCheckPort?.value ?? 0)
    }
}

extension ResolvedEndpoint.Health {
    fileprivate var rank: Int {
        switch self {
        case .healthy: 0
        case .degraded: 1
        case .unhealthy: 2
        }
    }

    /// `UNKNOWN`, the default, counts as healthy until a health check says otherwise, and takes no byte.
    var status: Envoy_Config_Core_V3_HealthStatus {
        switch self {
        case .healthy: .unknown
        case .degraded: .degraded
        case .unhealthy: .unhealthy
        }
    }
}

extension Envoy_Config_Endpoint_V3_LbEndpoint {
    /// One host; `isChecked` when its cluster has a health check, `isAlone` when it is the only one.
    fileprivate init(_ endpoint: ResolvedEndpoint, isChecked: Bool, isAlone: Bool) {
        self.init()
        self.endpoint.address = .init(host: endpoint.host.text, port: endpoint.port)
        if isChecked, let port = endpoint.healthCheckPort, port != endpoint.port {
            self.endpoint.healthCheckConfig.portValue = UInt32(port.value)
        }
        healthStatus = endpoint.health.status
        // Maglev hashes address and port of a host unless told otherwise. The clusters of one call have the same hosts with
        // different ports and have to agree on one, so they hash the address alone.
        //
        // Not so a name by itself: all addresses found under it would have the same key, Envoy would fill the table by their
        // position in the answer, and one more address would move nearly every key.
        if endpoint.host.isAddress || !isAlone {
            metadata.filterMetadata["envoy.lb"] = .with {
                $0.fields["hash_key"] = .with { $0.stringValue = endpoint.host.text }
            }
        }
    }
}
