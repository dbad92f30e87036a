/// What a state-of-the-world stream asks of its group's snapshot, for clusters or listeners.
struct WorldFetch: Sendable, Hashable {
    /// What the client was sent last.
    let held: WorldState?
    /// Whether the client has clusters of an earlier stream.
    var isReturn = false

    static func == (left: WorldFetch, right: WorldFetch) -> Bool {
        left.held === right.held && left.isReturn == right.isReturn
    }

    func hash(into hasher: inout Hasher) { hasher.combine(held.map(ObjectIdentifier.init)) }
}

/// The answer to a `WorldFetch`.
struct WorldResult: Sendable {
    /// All that there is.
    let state: WorldState
    /// How to get there from what the client was sent last; nil for a client that was sent nothing.
    let transition: WorldTransition?
    /// The endpoints of the same moment, by cluster.
    var assignments: [String: EncodedResource] = [:]
    /// Their version.
    var endpointVersion = Digest.zero
    /// What there was earlier, for a client that comes back.
    var departed: DepartedClusters?
}

/// The way from one state to another.
final class WorldTransition: Sendable {
    /// What is in the earlier state and not in the later, together with the later; the later itself when that is the same.
    let union: WorldState
    /// The names of what is new or changed.
    let changed: [String]

    init(from earlier: WorldState, to later: WorldState) {
        union = later.lacksSome(of: earlier) ? later.union(with: earlier.resources) : later
        changed = later.changes(since: earlier)
    }
}

/// The whole states of one group at its present revision, each made when it is first asked for, and shared by all who ask; and what
/// was in earlier ones.
struct WorldCache {
    private var states: [ResourceType: WorldState] = [:]
    /// Keyed by the identity of the earlier state, which the value keeps alive.
    private var transitions: [ObjectIdentifier: (earlier: WorldState, transition: WorldTransition)] = [:]
    private(set) var departed = DepartedClusters()
    /// Clusters taken out since the last revision, as they were in it.
    private var leaving: [String: EncodedResource] = [:]

    /// A cluster is taken out or replaced, until the next revision.
    mutating func unserved(_ cluster: EncodedResource) {
        guard departed.isUsed, leaving[cluster.name] == nil else { return }
        leaving[cluster.name] = cluster
    }

    /// The group has moved on to `revision`, with `clusters`.
    mutating func moveOn(to revision: Revision, clusters: ResourceTable) {
        states = [:]
        transitions = [:]
        for (name, cluster) in leaving where clusters.resources[name] == nil { departed.left(cluster, at: revision) }
        leaving = [:]
    }

    mutating func answer(_ type: ResourceType, _ fetch: WorldFetch, _ table: ResourceTable, at revision: Revision) -> WorldResult
    {
        let state = state(type, table, known: fetch.held)
        if type == .cluster { departed.said(state.version, at: revision) }
        guard let held = fetch.held, held !== state else {
            return WorldResult(state: state, transition: nil, departed: fetch.isReturn ? departed : nil)
        }
        let key = ObjectIdentifier(held)
        let transition = transitions[key]?.transition ?? WorldTransition(from: held, to: state)
        transitions[key] = (held, transition)
        return WorldResult(state: state, transition: transition)
    }

    /// A state that a stream has already is not encoded again because the snapshot of another type moved.
    private mutating func state(_ type: ResourceType, _ table: ResourceTable, known: WorldState?) -> WorldState {
        if let state = states[type] { return state }
        let current = known.flatMap { $0.type == type && $0.version == table.version ? $0 : nil }
        let state = current ?? WorldState(type, resources: table.resources, version: table.version)
        states[type] = state
        return state
    }
}
