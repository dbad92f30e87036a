public import Domain

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
