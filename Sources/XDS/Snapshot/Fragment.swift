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

/// How much work snapshots have been; for tests and metrics. It grows with what changes, never with what there is.
public struct SnapshotEffort: Sendable, Hashable {
    /// Responses put together to be shared.
    public var framedResponses = 0
    /// Resources and removals in these.
    public var framedResources = 0
    /// Listeners that came into service, or went out of it.
    public var decidedListeners = 0

    static func + (left: SnapshotEffort, right: SnapshotEffort) -> SnapshotEffort {
        SnapshotEffort(
            framedResponses: left.framedResponses + right.framedResponses,
            framedResources: left.framedResources + right.framedResources,
            decidedListeners: left.decidedListeners + right.decidedListeners)
    }
}

/// Something that only one listener of an Envoy can have.
public enum Claim: Hashable, Sendable, CustomStringConvertible {
    case listenerName(String)
    case clusterName(String)
    case port(TransportProtocol, PortNumber)

    public var description: String {
        switch self {
        case .listenerName(let name): "listener name \(name)"
        case .clusterName(let name): "cluster name \(name)"
        case .port(let transport, let port): "\(transport.rawValue.uppercased()) port \(port)"
        }
    }
}

/// A listener of a VirtualService.
public struct UnitID: Hashable, Sendable {
    /// The VirtualService.
    public let service: ObjectKey
    /// The listener's name, unique within the object.
    public let listener: String
}

/// A listener that is not served because an older one has what it claims.
public struct Conflict: Hashable, Sendable {
    /// What both claim.
    public let claim: Claim
    /// The listener that is withheld.
    public let loser: UnitID
    /// The listener that is served.
    public let winner: UnitID
}
