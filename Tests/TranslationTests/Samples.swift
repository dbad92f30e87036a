import Domain
import Resolution
import Testing

/// Parts that the tables are made of; each differs from the plain one in what a test names.
func port(_ number: Int) throws -> PortNumber { try #require(PortNumber(number)) }

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

func endpoint(
    _ host: String, _ number: Int = 5000, check: Int? = nil, health: ResolvedEndpoint.Health = .healthy
) throws -> ResolvedEndpoint {
    let place: ResolvedEndpoint.Host = try IPAddress(host).map { .address($0) } ?? .name(#require(DNSName(host)))
    return try ResolvedEndpoint(host: place, port: port(number), healthCheckPort: check.map(port), health: health)
}

/// A cluster with one endpoint for each of `hosts`: `app=…` for pods, else an address or a name.
func cluster(
    _ serviceDiscovery: ServiceDiscovery, _ hosts: [String], check: Duration? = nil, hashKey: String? = nil,
    healthCheckPort: Int? = nil
) throws -> ClusterIntent {
    let endpoints = try hosts.map { host -> EndpointIntent in
        let place: EndpointIntent.Host
        if host.hasPrefix("app=") {
            place = .selector(try #require(LabelSelector(labels: ["app": String(host.dropFirst(4))])))
        } else if let address = IPAddress(host) {
            place = .address(address)
        } else {
            place = .name(try #require(DNSName(host)))
        }
        return try EndpointIntent(name: "e", host: place, port: port(5000), healthCheckPort: healthCheckPort.map(port))
    }
    return ClusterIntent(
        name: "c", serviceDiscovery: serviceDiscovery, healthCheck: check.map(HealthCheckIntent.init(interval:)),
        hashKey: hashKey,
        endpoints: endpoints)
}

func listener(
    _ transport: TransportProtocol = .udp, cluster: ClusterIntent?, idleTimeout: Duration? = nil,
    maximumDatagramSize: UInt64? = nil
) throws -> ListenerIntent {
    try ListenerIntent(
        name: "l", transport: transport, port: port(10000), cluster: cluster, idleTimeout: idleTimeout,
        maximumDatagramSize: maximumDatagramSize)
}
