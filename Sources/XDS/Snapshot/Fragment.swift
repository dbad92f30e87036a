public import Domain

/// What one VirtualService compiles to: its units, on the Envoys of the pods that its selector matches.
public struct Fragment: Sendable {
    /// The VirtualService.
    public let service: ObjectKey
    /// When it was created, in seconds since 1970: the older of two objects that claim the same name or port wins.
    public let creationSeconds: Int64
    /// The pods whose Envoys get the units.
    public let selector: ScopedSelector
    /// One unit a listener, in the order of the object.
    public let units: [ListenerUnit]

    /// Makes a fragment.
    public init(service: ObjectKey, creationSeconds: Int64, selector: ScopedSelector, units: [ListenerUnit]) {
        self.service = service
        self.creationSeconds = creationSeconds
        self.selector = selector
        self.units = units
    }
}

/// A listener with the cluster and the endpoints behind it: served together or, when a name or the port is taken, not at all.
public struct ListenerUnit: Sendable, Hashable {
    /// UDP or TCP: the same port of the other protocol is no conflict.
    public let transport: TransportProtocol
    /// The listening port.
    public let port: PortNumber
    /// The listener.
    public let listener: EncodedResource
    /// The cluster.
    public let cluster: EncodedResource
    /// The cluster's endpoints, when they travel by EDS.
    public let assignment: EncodedResource?

    /// Makes a unit of encoded resources.
    public init(
        transport: TransportProtocol, port: PortNumber, listener: EncodedResource, cluster: EncodedResource,
        assignment: EncodedResource?
    ) {
        self.transport = transport
        self.port = port
        self.listener = listener
        self.cluster = cluster
        self.assignment = assignment
    }

    var claims: [Claim] { [.listenerName(listener.name), .port(transport, port), .clusterName(cluster.name)] }
    var resources: [EncodedResource] { [listener, cluster] + (assignment.map { [$0] } ?? []) }
}
