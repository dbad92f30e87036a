/// What a client has from an earlier stream: `initial_resource_versions` (xDS protocol, "Incremental xDS").
///
/// Thousands of Envoys come back at once when a replica restarts. So the texts are read where each stream lives, and summed there: whether
/// the client has just what the snapshot has is then one comparison, however many names there are.
public struct HeldResources: Sendable, Hashable {
    /// Versions by name. Zero, which no resource has, stands for a text that this server never wrote.
    private(set) var versions: [String: Digest] = [:]
    /// The order-independent combination of the versions.
    private(set) var sum = Digest.zero

    /// Whether the client brought nothing.
    public var isEmpty: Bool { versions.isEmpty }

    /// Reads versions as the client wrote them.
    public init(_ texts: [String: String] = [:]) {
        guard !texts.isEmpty else { return }
        versions = texts.mapValues { Digest($0) ?? .zero }
        for version in versions.values { sum.add(version) }
    }

    /// Whether the client has the resource in this form.
    func has(_ resource: EncodedResource) -> Bool { versions[resource.name] == resource.version }

    /// Takes a name out, so that its resource is sent whatever the client has.
    mutating func forget(_ name: String) {
        if let version = versions.removeValue(forKey: name) { sum.subtract(version) }
    }
}
