import DequeModule

/// What a delta stream knows of one type of resource.
struct DeltaTypeState {
    /// A resource that the client rejected.
    struct RejectedResource {
        /// The bytes that are not sent again.
        let version: Digest
        /// The client's words.
        let message: String
    }

    /// Whether the client has asked for the type at all.
    var isStarted = false
    var subscription = DeltaSubscription()
    /// Names that must be answered.
    var owed: Set<String> = []
    /// Names whose resources are sent once more because Envoy waits for them after a cluster update.
    var refreshed: Set<String> = []
    /// What the client brought from an earlier stream, until it has been answered.
    var held: HeldResources?
    /// Whether the next answer goes out even if it says nothing: a client that wants everything must learn that there is nothing.
    var mustAnswer = false
    /// Whether a fetch is under way. Meanwhile no step is taken, since the fetch begins where the stream stood.
    var isFetching = false
    /// Whether the client asked for everything while a fetch was under way, which does not answer that.
    var isOutrun = false
    /// Names unsubscribed from since the fetch under way began.
    var droppedMeanwhile: Set<String> = []
    /// Whether nothing has been unsubscribed from since the list of names went out with a fetch.
    var listIsCurrent = false
    /// Where the client stood, by its own word, when it last acknowledged a response.
    var acknowledged = ReachedPositions()
    /// Names that a rejected response carried and no acknowledged one since: the client may have them or not.
    private(set) var doubted: Set<String> = []
    /// Responses under way, oldest first.
    var inFlight: Deque<SentResponse> = []
    var rejected: [String: RejectedResource] = [:]
    /// Those of `rejected` whose address was taken.
    var addressConflicts = AddressConflicts()
    /// Names in doubt since a rejection, to be sent again, each list in a response of its own.
    var retries: Deque<[String]> = []

    /// How many responses may be unacknowledged. Envoy holds the acknowledgement of clusters back while any of them warms (a second,
    /// with one dead host), and applies what comes meanwhile: clusters have room for a second of calls.
    let window: Int
    /// Whether one more response may be sent before the client answers one.
    var isWindowOpen: Bool { inFlight.count < window }

    /// Whether something is withheld because its address was taken.
    var hasAddressConflicts: Bool { !addressConflicts.pauseElapsed(among: rejected).isEmpty }

    /// Whether nothing is to be sent by name.
    var owesNothing: Bool { owed.isEmpty && refreshed.isEmpty && held == nil && retries.isEmpty }
    /// Whether the client wants anything of the type.
    var isAsking: Bool { isStarted && !isIdle }
    /// Nothing is subscribed to.
    var isIdle: Bool { !subscription.isWildcard && subscription.names.isEmpty && subscription.missing == nil }

    init(_ type: ResourceType) { window = type == .cluster ? 64 : 8 }

    /// Whether the bytes may go to the client: not those it rejected. Other bytes under the name end the rejection.
    mutating func permits(_ resource: EncodedResource) -> Bool {
        guard !rejected.isEmpty, let rejection = rejected[resource.name] else { return true }
        if rejection.version == resource.version { return false }
        rejected[resource.name] = nil
        addressConflicts.forget(resource.name)
        return true
    }

    /// The client acknowledged `nonce`, and with it all that was sent earlier.
    mutating func acknowledge(_ nonce: Nonce) {
        guard let index = inFlight.firstIndex(where: { $0.nonce == nonce }) else { return }
        settle(through: index)
        let isChange = !addressConflicts.isEmpty && inFlight[...index].contains { !$0.names.isEmpty }
        inFlight.removeFirst(index + 1)
        if isChange { retry(addressConflicts.changeWasTaken(among: rejected)) }
    }

    /// The client rejected the response `nonce`, which it may have applied in part; returns the culprits.
    ///
    /// Where the message names none, the response is sent again in halves until the culprit is alone.
    mutating func reject(_ nonce: Nonce, message: String) -> [String]? {
        guard let index = inFlight.firstIndex(where: { $0.nonce == nonce }) else { return nil }
        let response = inFlight[index]
        if index > 0 { settle(through: index - 1) }
        inFlight.removeFirst(index + 1)
        let names = response.names
        var culprits = RejectionMessage.culprits(among: names, in: message)
        if culprits.isEmpty, names.count == 1 { culprits = names }
        doubted.formUnion(names)
        doubted.subtract(culprits)
        guard !culprits.isEmpty else {
            let middle = names.count / 2
            retries.append(contentsOf: [Array(names[..<middle]), Array(names[middle...])].filter { !$0.isEmpty })
            return []
        }
        let isAddressConflict = RejectionMessage.isAddressConflict(message)
        let versions = Dictionary(response.resources.map { ($0.name, $0.version) }, uniquingKeysWith: { _, last in last })
        // What is under way in another form, or as a removal, is not withheld: the client has yet to say what it thinks of that.
        let superseded = inFlight.isEmpty ? [] : Set(inFlight.lazy.flatMap(\.names))
        // What is gone is gone, whatever a client thinks of that.
        for name in culprits where !superseded.contains(name) {
            guard let version = versions[name] else { continue }
            if isAddressConflict { addressConflicts.note(name) }
            rejected[name] = RejectedResource(version: version, message: message)
        }
        let innocent = Set(names).subtracting(culprits)
        if !innocent.isEmpty { retries.append(innocent.sorted()) }
        return culprits
    }

    /// The client has taken in all responses up to the one at `index`.
    private mutating func settle(through index: Int) {
        if !addressConflicts.trials.isEmpty {
            for name in inFlight[...index].lazy.flatMap(\.names) where addressConflicts.trials[name] != nil {
                addressConflicts.forget(name)
            }
        }
        if !doubted.isEmpty {
            for response in inFlight[...index] { doubted.subtract(response.names) }
        }
        // What was sent after a rejected response says nothing of what that one carried.
        if doubted.isEmpty { acknowledged = inFlight[index].reached }
    }

    /// Whether the client has answered everything, and nothing that it rejected is in doubt.
    var isQuiet: Bool { inFlight.isEmpty && doubted.isEmpty }

    /// Whether there are any `rejections`.
    var hasRejections: Bool { !rejected.isEmpty || !addressConflicts.trials.isEmpty }

    /// What `rejections` are for those who follow the client's progress, sorted by name.
    func told(as type: ResourceType) -> [StreamProgress.Rejected] {
        rejections.sorted { $0.key < $1.key }.map { StreamProgress.Rejected(type: type, name: $0.key, message: $0.value) }
    }

    /// The client's words for each resource that it rejected, and for each that is being tried again.
    var rejections: [String: String] {
        rejected.mapValues(\.message).merging(addressConflicts.trials.mapValues(\.message)) { rejection, _ in rejection }
    }

    /// The name is gone, or not asked for any more.
    mutating func forgetRejection(of name: String) {
        if !rejected.isEmpty { rejected[name] = nil }
        if !addressConflicts.isEmpty { addressConflicts.forget(name) }
    }

    /// The client does not want the name any more.
    mutating func forgetDoubt(of name: String) { doubted.discard(name) }

    /// Sends again what was rejected for its address, whatever changed since.
    mutating func addressPauseElapsed() { retry(addressConflicts.pauseElapsed(among: rejected)) }

    private mutating func retry(_ names: [String]) {
        guard !names.isEmpty else { return }
        for name in names {
            guard let rejection = rejected.removeValue(forKey: name) else { continue }
            addressConflicts.begin(name, AddressConflicts.Trial(version: rejection.version, message: rejection.message))
        }
        retries.append(names)
    }
}
