/// A valid `VirtualService`: which pods' Envoys it configures, and with which listeners.
public struct VirtualService: Hashable, Sendable {
    /// Name, age, generation and the like.
    public var metadata: ObjectMetadata
    /// The labels of the pods whose Envoys get the listeners.
    public var selector: LabelSelector
    /// The listeners, in the order of the object; names are unique within it.
    public var listeners: [ListenerIntent]

    /// Makes a VirtualService of validated parts.
    public init(metadata: ObjectMetadata, selector: LabelSelector, listeners: [ListenerIntent]) {
        self.metadata = metadata
        self.selector = selector
        self.listeners = listeners
    }
}

/// One port on which the selected Envoys listen, and the cluster to which they forward.
public struct ListenerIntent: Hashable, Sendable {
    /// The listener's name on the Envoy.
    public var name: String
    /// UDP or TCP.
    public var transport: TransportProtocol
    /// The port bound on every address of the Envoy's host.
    public var port: PortNumber
    /// Where datagrams or connections go; nil for a `tcp` listener without a cluster, which is never served.
    public var cluster: ClusterIntent?
    /// How long a UDP session without datagrams lives, at least 1 ms; nil leaves Envoy's default (60 s).
    public var idleTimeout: Duration?
    /// The largest datagram forwarded, in bytes; nil leaves Envoy's default (1500).
    public var maximumDatagramSize: UInt64?

    /// Makes a listener of validated parts.
    public init(
        name: String, transport: TransportProtocol, port: PortNumber, cluster: ClusterIntent?, idleTimeout: Duration? = nil,
        maximumDatagramSize: UInt64? = nil
    ) {
        self.name = name
        self.transport = transport
        self.port = port
        self.cluster = cluster
        self.idleTimeout = idleTimeout
        self.maximumDatagramSize = maximumDatagramSize
    }
}

/// How a cluster's hosts are found, as the user asked for it; what is generated may differ (see Translation).
public enum ServiceDiscovery: String, Hashable, Sendable, CaseIterable {
    case strictDNS = "strictdns"
    case eds
}

/// The hosts behind a listener and how one is chosen.
public struct ClusterIntent: Hashable, Sendable {
    /// The cluster's name on the Envoy.
    public var name: String
    /// How hosts are found.
    public var serviceDiscovery: ServiceDiscovery
    /// The health check of every host, or nil for none.
    public var healthCheck: HealthCheckIntent?
    /// Clusters with equal keys and equal hosts choose the same host; nil hashes by the source address. Never empty.
    public var hashKey: String?
    /// The hosts, in the order of the object.
    public var endpoints: [EndpointIntent]

    /// Makes a cluster of validated parts.
    public init(
        name: String, serviceDiscovery: ServiceDiscovery, healthCheck: HealthCheckIntent? = nil, hashKey: String? = nil,
        endpoints: [EndpointIntent]
    ) {
        self.name = name
        self.serviceDiscovery = serviceDiscovery
        self.healthCheck = healthCheck
        self.hashKey = hashKey
        self.endpoints = endpoints
    }
}

/// A TCP connect to each host's health check port.
public struct HealthCheckIntent: Hashable, Sendable {
    /// Time between two checks of a host, at least 1 ms.
    public var interval: Duration

    /// Makes a check every `interval`.
    public init(interval: Duration) {
        self.interval = interval
    }
}

/// One entry of a cluster's `endpoints`: pods by label, or one host by address or name.
public struct EndpointIntent: Hashable, Sendable {
    /// Where the hosts of an endpoint come from.
    public enum Host: Hashable, Sendable {
        case selector(LabelSelector)
        case address(IPAddress)
        case name(DNSName)
    }

    /// The entry's name; it only serves the reader.
    public var name: String
    /// Where the hosts come from.
    public var host: Host
    /// The port of the hosts to which is forwarded.
    public var port: PortNumber
    /// The TCP port of the hosts that answers health checks; nil checks `port`.
    public var healthCheckPort: PortNumber?

    /// Makes an endpoint of validated parts.
    public init(name: String, host: Host, port: PortNumber, healthCheckPort: PortNumber? = nil) {
        self.name = name
        self.host = host
        self.port = port
        self.healthCheckPort = healthCheckPort
    }
}
