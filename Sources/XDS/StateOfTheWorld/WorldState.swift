/// Every resource of one type that a client has or is to have: what one state-of-the-world response says.
///
/// States are shared: all streams of a group that stand at the same revision hold the same one, and send its body.
public final class WorldState: Sendable {
    /// The type.
    let type: ResourceType
    /// The resources by name.
    let resources: [String: EncodedResource]
    /// An order-independent combination of the resources' versions: the same wherever the resources are the same, on every replica
    /// and after every restart.
    let version: Digest
    /// The response without its nonce.
    let body: [UInt8]

    /// Encodes a state.
    /// - Parameter version: the combination of the resources' versions.
    init(_ type: ResourceType, resources: [String: EncodedResource], version: Digest) {
        self.type = type
        self.resources = resources
        self.version = version
        body = WorldResponse.body(
            typeURL: type.typeURL, version: version.description, resources: resources.values.sorted { $0.name < $1.name })
    }

    /// Encodes a state whose version is not known.
    convenience init(_ type: ResourceType, resources: [String: EncodedResource]) {
        var version = Digest.zero
        for resource in resources.values { version.add(resource.version) }
        self.init(type, resources: resources, version: version)
    }

    /// This state together with the resources that only `earlier` has.
    func union(with earlier: [String: EncodedResource]) -> WorldState {
        var version = version
        var resources = resources
        for (name, resource) in earlier where resources[name] == nil {
            resources[name] = resource
            version.add(resource.version)
        }
        return WorldState(type, resources: resources, version: version)
    }

    /// The names of resources that `earlier` lacks or has with other bytes, sorted.
    func changes(since earlier: WorldState?) -> [String] {
        resources.values.filter { earlier?.resources[$0.name]?.version != $0.version }.map(\.name).sorted()
    }

    /// Whether `earlier` has a name that this state lacks.
    func lacksSome(of earlier: WorldState) -> Bool { earlier.resources.keys.contains { resources[$0] == nil } }
}

/// The wire form of a `DiscoveryResponse`, put together from resources that are encoded already.
enum WorldResponse {
    /// Everything but the nonce, which `DeltaResponse.head` writes: it has the same field number in both forms.
    static func body(typeURL: String, version: String, resources: [EncodedResource]) -> [UInt8] {
        var writer = WireWriter(capacity: resources.reduce(typeURL.utf8.count + 64) { $0 + $1.deltaField.count })
        writer.string(version, field: 1)
        for resource in resources { writer.bytes(resource.deltaField[resource.anyRange], field: 2) }
        writer.string(typeURL, field: 4)
        return writer.output
    }
}
