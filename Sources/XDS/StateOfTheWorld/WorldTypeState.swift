import DequeModule

/// What a state-of-the-world stream knows of clusters or listeners, of which each response says all that the client is to have.
///
/// A rejected resource can't be left out of a later response when the client had an earlier form of it: absence removes. So it stands
/// there with its last acknowledged bytes, and is left out only when there are none.
struct WorldTypeState {
    private struct Sent {
        let nonce: Nonce
        let state: WorldState
        let search: Int
        /// What it changed at the client, by name.
        let changed: [String]
        /// Where the client stands once it has acknowledged this response; nil for one that says less than all.
        var reached: Position?
    }

    /// A resource that the client rejected.
    private struct RejectedResource {
        /// The bytes that are not sent again.
        let version: Digest
        /// The client's words.
        let message: String
    }

    /// Whether the client has asked for the type at all.
    var isStarted = false
    var subscription = WorldSubscription()
    /// Whether the next state is sent even if the client was sent it before.
    var mustAnswer = false
    /// Whether the content may differ from what was sent though the snapshot has not moved.
    var isStale = false
    /// Where the snapshot stood that `held` was made of.
    var position: Position?
    /// What the client was sent last.
    private(set) var held: WorldState?
    /// What it acknowledged last.
    private(set) var acknowledged: WorldState?
    /// Where it stands by its own word: all that the snapshot said there it has, but for what it rejected.
    private(set) var reached: Position?
    private var inFlight: Deque<Sent> = []
    private var rejected: [String: RejectedResource] = [:]
    /// Those of `rejected` whose address was taken.
    private var addressConflicts = AddressConflicts()
    /// Names in doubt since a rejection that named no culprit: the first list is being tried, the others wait.
    private var doubts: Deque<[String]> = []
    /// Counts the searches for a culprit: rejections of what was sent before the last one began say nothing new.
    private var search = 0
    /// What rejected responses changed, and the client perhaps applied, since the last one that it acknowledged.
    private var doubtful: Set<String> = []

    /// The client's words for each resource that is withheld, or that it rejected and is sent once more.
    var rejections: [String: String] {
        rejected.mapValues(\.message).merging(addressConflicts.trials.mapValues(\.message)) { rejection, _ in rejection }
    }
    /// Whether there are any `rejections`.
    var hasRejections: Bool { !rejected.isEmpty || !addressConflicts.trials.isEmpty }
    /// What `rejections` are for those who follow the client's progress, sorted by name.
    func told(as type: ResourceType) -> [StreamProgress.Rejected] {
        rejections.sorted { $0.key < $1.key }.map { StreamProgress.Rejected(type: type, name: $0.key, message: $0.value) }
    }
    /// Responses that the client has not answered.
    var inFlightCount: Int { inFlight.count }
    /// What the responses that the client has not answered change, by name.
    var changedInFlight: Set<String> { Set(inFlight.lazy.flatMap(\.changed)) }
    /// The nonce that an answer must have in order not to be stale.
    var lastNonce: Nonce?
    /// Names whose newest bytes are withheld.
    var withheldCount: Int { rejected.count }
    /// Whether nothing is under way or in doubt.
    var isSettled: Bool { inFlight.isEmpty && doubts.isEmpty && !mustAnswer && !isStale }

    /// Whether one more response may be sent before the client answers one: the window of the delta form, for the same reason; but
    /// while a culprit is searched for, each answer decides what comes next.
    var isWindowOpen: Bool { doubts.isEmpty ? inFlight.count < 8 : inFlight.isEmpty }

    /// What the client is to have when the snapshot says `full`: its subscription, and its last good form of what it rejected.
    private mutating func content(of full: WorldState) -> WorldState {
        for (name, rejection) in rejected where full.resources[name]?.version != rejection.version {
            rejected[name] = nil
            addressConflicts.forget(name)
        }
        for (name, trial) in addressConflicts.trials where full.resources[name]?.version != trial.version {
            addressConflicts.forget(name)
        }
        if subscription.isWildcard && rejected.isEmpty && doubts.count < 2 { return full }
        var resources = full.resources
        if !subscription.isWildcard { resources = resources.filter { subscription.names.contains($0.key) } }
        let withheld = Set(rejected.keys).union(doubts.dropFirst().joined())
        for name in withheld where resources[name] != nil { resources[name] = acknowledged?.resources[name] }
        return WorldState(full.type, resources: resources)
    }

    /// The content to send next; nil when the client was sent just that.
    mutating func next(of full: WorldState) -> WorldState? {
        isStale = false
        var content = content(of: full)
        // What is in doubt may be gone from the snapshot: there is nothing to try then.
        while content.version == held?.version, inFlight.isEmpty, !mustAnswer, doubts.popFirst() != nil {
            content = self.content(of: full)
        }
        return mustAnswer || content.version != held?.version ? content : nil
    }

    /// Notes that the client was sent `state`.
    /// - Parameter complete: where the snapshot stood, unless the state has more than that.
    mutating func sent(_ state: WorldState, nonce: Nonce, changed: [String], complete: Position?) {
        let reached = doubts.count < 2 ? complete : nil
        inFlight.append(Sent(nonce: nonce, state: state, search: search, changed: changed, reached: reached))
        lastNonce = nonce
        held = state
        mustAnswer = false
    }

    /// Notes that what the client was sent last is also what the snapshot says at `position`.
    mutating func stood(at position: Position) {
        guard doubts.isEmpty else { return }
        if inFlight.isEmpty { reached = position } else { inFlight[inFlight.count - 1].reached = position }
    }

    /// What `next` changes at the client, by name.
    func changes(to next: WorldState, _ world: WorldResult) -> [String] {
        if doubtful.isEmpty, next === world.state, let transition = world.transition { return transition.changed }
        return doubtful.filter { next.resources[$0] != nil }.union(next.changes(since: held)).sorted()
    }

    /// What was unsubscribed from is the client's to drop: nothing has to be sent for it.
    mutating func narrow() {
        guard let held, !subscription.isWildcard else { return }
        let rest = held.resources.filter { subscription.names.contains($0.key) }
        if rest.count != held.resources.count { self.held = WorldState(held.type, resources: rest) }
    }

    /// The client acknowledged `nonce`, and with it all that was sent earlier; returns what it has now.
    mutating func acknowledge(_ nonce: Nonce) {
        guard let index = inFlight.firstIndex(where: { $0.nonce == nonce }) else { return }
        let before = acknowledged
        let (state, isOfThisSearch) = (inFlight[index].state, inFlight[index].search == search)
        acknowledged = state
        reached = inFlight[...index].last { $0.reached != nil }?.reached ?? reached
        doubtful = []
        inFlight.removeFirst(index + 1)
        if isOfThisSearch, doubts.popFirst() != nil { isStale = true }
        for (name, trial) in addressConflicts.trials where state.resources[name]?.version == trial.version {
            addressConflicts.forget(name)
        }
        guard !addressConflicts.isEmpty, let before, before.version != state.version else { return }
        retry(addressConflicts.changeWasTaken(among: rejected))
    }

    /// Whether something is withheld because its address was taken.
    var hasAddressConflicts: Bool { !addressConflicts.pauseElapsed(among: rejected).isEmpty }

    /// Sends again what was rejected for its address, whatever changed since.
    mutating func addressPauseElapsed() { retry(addressConflicts.pauseElapsed(among: rejected)) }

    private mutating func retry(_ names: [String]) {
        for name in names {
            guard let rejection = rejected.removeValue(forKey: name) else { continue }
            addressConflicts.begin(name, AddressConflicts.Trial(version: rejection.version, message: rejection.message))
            isStale = true
        }
    }

    /// The client rejected the response `nonce`, which it may have applied in part; returns the culprits, none while they are being
    /// searched for, or nil for an answer that comes too late to say something new.
    mutating func reject(_ nonce: Nonce, message: String) -> [String]? {
        guard let index = inFlight.firstIndex(where: { $0.nonce == nonce }) else { return nil }
        let response = inFlight[index]
        // What the client was last sent without, it will be sent as news.
        doubtful.formUnion(inFlight[...index].flatMap(\.changed))
        doubtful = doubtful.filter { held?.resources[$0] != nil }
        inFlight.removeFirst(index + 1)
        isStale = true
        let suspects = response.state.changes(since: acknowledged)
        var culprits = RejectionMessage.culprits(among: suspects, in: message)
        if culprits.isEmpty {
            // A culprit found meanwhile explains this rejection, too.
            let isExplained = suspects.contains { rejected[$0]?.version == response.state.resources[$0]?.version }
            if isExplained { return nil }
            if suspects.count == 1 { culprits = suspects }
        }
        if culprits.isEmpty {
            guard response.search == search else { return nil }
            guard !suspects.isEmpty else { return [] }
            search += 1
            doubts.removeAll { !$0.allSatisfy { name in !suspects.contains(name) } }
            let middle = suspects.count / 2
            doubts.prepend(Array(suspects[middle...]))
            doubts.prepend(Array(suspects[..<middle]))
            return []
        }
        let isAddressConflict = RejectionMessage.isAddressConflict(message)
        for name in culprits {
            guard let version = response.state.resources[name]?.version else { continue }
            if isAddressConflict { addressConflicts.note(name) }
            rejected[name] = RejectedResource(version: version, message: message)
        }
        // What is left of the trial is tried without the culprit.
        if let trial = doubts.popFirst() {
            let rest = trial.filter { !culprits.contains($0) }
            if !rest.isEmpty { doubts.prepend(rest) }
        }
        return culprits
    }
}
