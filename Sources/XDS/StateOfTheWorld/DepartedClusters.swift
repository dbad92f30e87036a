import DequeModule

/// Clusters that a group's snapshot had once and has no more. A client that was away while they went has them yet, and listeners that
/// use them: absence would take them from it before it hears what became of those.
///
/// Bounded, oldest forgotten first; whoever has been away for longer, or comes from another process, is not known here.
struct DepartedClusters: Sendable {
    private struct Departure {
        let resource: EncodedResource
        /// The first revision without it.
        let revision: Revision
    }

    private static let departureLimit = 4096
    private static let versionLimit = 1024

    private var departures: [String: Departure] = [:]
    /// In order of revision; a name that left twice is here twice.
    private var order: Deque<(name: String, revision: Revision)> = []
    /// When the clusters together last had a version that was said to a client.
    private var revisions: [String: Revision] = [:]
    private var versions: Deque<String> = []
    /// Departures at or before this revision are forgotten.
    private var horizon = Revision.initial

    /// Whether any client was ever told a state: if not, there is none that could come back.
    var isUsed: Bool { !revisions.isEmpty }

    /// Notes that clients may have been told of `version`, which is the one of `revision`.
    mutating func said(_ version: Digest, at revision: Revision) {
        let text = version.description
        if revisions.updateValue(revision, forKey: text) == nil { versions.append(text) }
        if versions.count > Self.versionLimit, let oldest = versions.popFirst() { revisions[oldest] = nil }
    }

    /// Notes that `resource` is not part of `revision`, and was of the one before.
    mutating func left(_ resource: EncodedResource, at revision: Revision) {
        departures[resource.name] = Departure(resource: resource, revision: revision)
        order.append((resource.name, revision))
        guard order.count > Self.departureLimit, let oldest = order.popFirst() else { return }
        horizon = oldest.revision
        if departures[oldest.name]?.revision == oldest.revision { departures[oldest.name] = nil }
    }

    /// The last form of a cluster that left.
    func resource(_ name: String) -> EncodedResource? { departures[name]?.resource }

    /// All that left after the clusters had `version`; nil when that is not known.
    func resources(since version: String) -> [String: EncodedResource]? {
        guard let revision = revisions[version], revision >= horizon else { return nil }
        var resources: [String: EncodedResource] = [:]
        for (name, left) in order.reversed() {
            guard left > revision else { break }
            resources[name] = departures[name]?.resource
        }
        return resources
    }
}
