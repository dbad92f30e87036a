/// The parts of a snapshot in the order in which they go out on a stream: a listener never precedes its cluster, and a
/// cluster leaves only after the listeners that use it (xDS protocol, "Eventual consistency considerations").
public enum Part: Int, Hashable, Sendable, CaseIterable, Comparable {
    case clusterUpdates
    case endpoints
    case listeners
    case clusterRemovals

    /// The type of resource that the part carries.
    public var type: ResourceType {
        switch self {
        case .clusterUpdates, .clusterRemovals: .cluster
        case .endpoints: .endpoint
        case .listeners: .listener
        }
    }

    /// The part that brings resources of `type` up to date.
    static func updates(of type: ResourceType) -> Part {
        switch type {
        case .cluster: .clusterUpdates
        case .endpoint: .endpoints
        case .listener: .listeners
        }
    }

    public static func < (left: Part, right: Part) -> Bool { left.rawValue < right.rawValue }
}

/// What one part of a snapshot needs to go from one position to another; made once, shared by every stream that makes the step.
public final class Step: Sendable {
    /// The part.
    public let part: Part
    /// Resources that were there before and have changed.
    let updated: [EncodedResource]
    /// Resources that were not there before.
    let added: [EncodedResource]
    /// Endpoints that have not changed, but whose cluster has: Envoy waits for them after a cluster update.
    let resent: [EncodedResource]
    /// Names that are gone.
    let removed: [String]
    /// The response body for a stream that takes the step as a whole, or empty when there is nothing to say.
    let body: [UInt8]

    /// What the shared body carries, for the record of what a stream was sent; sorted by name.
    let carried: [EncodedResource]
    /// The removals that the shared body carries. Removed endpoints are told with the next response that a stream gets
    /// (see `DeltaSubscription`), since their cluster's removal says the same earlier.
    var carriedRemovals: [String] { part == .endpoints ? [] : removed }

    init(
        part: Part, systemVersion: String, updated: [EncodedResource] = [], added: [EncodedResource] = [],
        resent: [EncodedResource] = [], removed: [String] = []
    ) {
        self.part = part
        self.updated = updated
        self.added = added
        self.resent = resent
        self.removed = removed
        let others = part == .endpoints ? resent : added
        carried = others.isEmpty ? updated : (updated + others).sorted { $0.name < $1.name }
        let removals = part == .endpoints ? [] : removed
        body =
            carried.isEmpty && removals.isEmpty
            ? []
            : DeltaResponse.body(
                typeURL: part.type.typeURL, systemVersion: systemVersion, resources: carried, removed: removals)
    }
}

/// The wire form of a `DeltaDiscoveryResponse`, put together from resources that are encoded already.
enum DeltaResponse {
    private static let nonceField = 5

    /// Everything but the nonce: the same for all streams that make the same step.
    static func body(typeURL: String, systemVersion: String, resources: [EncodedResource], removed: [String]) -> [UInt8] {
        let size = resources.reduce(typeURL.utf8.count + 64) { $0 + $1.deltaField.count }
        var writer = WireWriter(capacity: removed.reduce(size) { $0 + $1.utf8.count + 4 })
        if !systemVersion.isEmpty { writer.string(systemVersion, field: 1) }
        for resource in resources { writer.raw(resource.deltaField) }
        writer.string(typeURL, field: 4)
        for name in removed { writer.string(name, field: 6) }
        return writer.output
    }

    /// Removals that a shared body does not tell; they precede it as the nonce does.
    static func removals(_ names: [String]) -> [UInt8] {
        var writer = WireWriter(capacity: names.reduce(0) { $0 + $1.utf8.count + 4 })
        for name in names { writer.string(name, field: 6) }
        return writer.output
    }

    /// The nonce field, which precedes the body: protobuf fields may come in any order.
    static func head(nonce: Nonce) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Nonce.digitCount + 2)
        bytes.append(UInt8(nonceField << 3 | 2))
        bytes.append(UInt8(Nonce.digitCount))
        nonce.write { bytes.append($0) }
        return bytes
    }
}
