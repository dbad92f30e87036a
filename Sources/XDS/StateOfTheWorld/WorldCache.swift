/// What a state-of-the-world stream asks of its group's snapshot, for clusters or listeners.
struct WorldFetch: Sendable, Hashable {
    /// What the client was sent last.
    let held: WorldState?

    static func == (left: WorldFetch, right: WorldFetch) -> Bool { left.held === right.held }

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
}

/// The way from one state to another.
final class WorldTransition: Sendable {
    /// What is in the earlier state and not in the later, together with the later; the later itself when that is the same.
    let union: WorldState
    /// The names of what is new or changed.
    let changed: [String]

    init(from earlier: WorldState, to later: WorldState) {
        union = later.lacksSome(of: earlier) ? later.union(with: earlier) : later
        changed = later.changes(since: earlier)
    }
}

/// The whole states of one group at one revision, each made when it is first asked for, and shared by all who ask.
struct WorldCache {
    private var states: [ResourceType: WorldState] = [:]
    /// Keyed by the identity of the earlier state, which the value keeps alive.
    private var transitions: [ObjectIdentifier: (earlier: WorldState, transition: WorldTransition)] = [:]

    mutating func answer(_ type: ResourceType, _ fetch: WorldFetch, _ table: ResourceTable) -> WorldResult {
        let state = state(type, table, known: fetch.held)
        guard let held = fetch.held, held !== state else { return WorldResult(state: state, transition: nil) }
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
