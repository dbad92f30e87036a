import DequeModule

/// One state-of-the-world xDS stream: what the client asked for, what it was sent, and what it is owed (xDS protocol, "Basic Protocol
/// Overview" to "Eventual consistency considerations").
///
/// Clusters and listeners are said as a whole, endpoints as far as they changed. One fetch at a time brings all types to one moment of
/// the snapshot, and its answer goes out as clusters, endpoints, listeners. Since a whole state also removes, clusters that listeners
/// may still use stay in the first response and leave with another, after the listeners. `ReturnPlan` says how that is for a client
/// that had clusters before the stream began.
public struct WorldDiscoveryStateMachine {
    /// The group of the client's pod; nil until the pod is known and everything is synced.
    var group: GroupID?
    var latest = Revision.initial
    var clusters = WorldTypeState()
    var listeners = WorldTypeState()
    /// Whether the clusters that the client has include some that only old listeners need.
    var hasLeftovers = false
    /// The version of the clusters that the client brought from an earlier stream; empty for none. Who has clusters has listeners that
    /// it will ask for.
    var claimedVersion = ""
    /// Whether the client's old clusters can't be named, and so can leave it only after its listeners, which it has not asked for.
    var awaitsListeners = false
    /// Leftovers that the client had before the stream began, with endpoints.
    var brought: Set<String> = []
    /// Whether such a client has had its time to ask for its listeners.
    var isGraceOver = false
    var endpoints = DeltaTypeState(.endpoint)
    var endpointSubscription = WorldSubscription()
    var endpointPosition: Position?
    var lastEndpointNonce: Nonce?
    /// Clusters just sent, whose endpoints the client waits for.
    var awaited: Set<String> = []
    /// Names told to have no endpoints since they were gone: they are looked up with each step, until they are back.
    var emptied: Set<String> = []
    var endpointVersion = Digest.zero
    /// What the snapshot is being asked; one question at a time.
    var asked: [Fetch] = []
    var pinned: Set<GroupID> = []
    private var nextNonce = Nonce(number: 1)
    /// The last position up to which the client has acknowledged everything.
    var reached: Position?

    let isAggregated: Bool

    /// Makes the state of a new stream.
    /// - Parameter isAggregated: whether all types come by this stream (ADS).
    public init(isAggregated: Bool = true) { self.isAggregated = isAggregated }

    /// Responses that the client has not answered, of all types.
    public internal(set) var inFlightCount = 0
    /// What tells the names that the client asked for last from others, of each type for which that was said.
    public internal(set) var namesMarks: [ResourceType: Int] = [:]

    /// Bytes of the names that the client has made the stream keep, each of which counts `nameCost` besides its text. Walks all of them.
    public func nameByteCount(nameCost: Int) -> Int {
        let subscribed = [clusters.subscription.names, listeners.subscription.names, endpointSubscription.names, emptied]
        return subscribed.reduce(endpoints.nameByteCount(nameCost: nameCost)) { $0 + $1.nameByteCount(nameCost: nameCost) }
    }

    /// Whether the client has been sent everything, and has answered it.
    public var isSettled: Bool {
        guard let current, asked.isEmpty else { return false }
        return isSettled(clusters, at: current) && isSettled(listeners, at: current) && !hasLeftovers
            && (!endpoints.isStarted
                || endpointPosition == current && endpoints.inFlight.isEmpty && endpoints.owed.isEmpty
                    && endpoints.retries.isEmpty)
    }

    /// How far the client is, by its own word.
    public var progress: StreamProgress {
        var types: ResourceTypes = []
        if clusters.isStarted { types.insert(.cluster) }
        if endpoints.isStarted { types.insert(.endpoint) }
        if listeners.isStarted { types.insert(.listener) }
        var rejected: [StreamProgress.Rejected] = []
        if clusters.hasRejections { rejected += clusters.told(as: .cluster) }
        if endpoints.hasRejections { rejected += endpoints.told(as: .endpoint) }
        if listeners.hasRejections { rejected += listeners.told(as: .listener) }
        return StreamProgress(types: types, acknowledged: reached?.group == group ? reached : nil, rejected: rejected)
    }

    /// What is known of the client, for those who ask what it was sent.
    public var account: StreamAccount {
        var types: [TypeAccount] = []
        for (type, state) in [(ResourceType.cluster, clusters), (.listener, listeners)] where state.isStarted {
            types.append(TypeAccount(type: type, subscription: .stateOfTheWorld(state.subscription), progress: .whole(state)))
        }
        if endpoints.isStarted {
            var state = endpoints
            state.isFetching = asked.contains { $0.type == .endpoint && !$0.names.isEmpty }
            types.append(
                TypeAccount(
                    type: .endpoint, subscription: .stateOfTheWorld(endpointSubscription),
                    progress: .steps(state, updates: endpointPosition, removals: nil)))
        }
        return StreamAccount(group: group, types: types)
    }

    /// The least of what is acknowledged of each type; nil while one was not answered yet, or stands in another group.
    var acknowledged: Position? {
        var least: Position?
        for state in [clusters, listeners] where state.isStarted {
            guard let position = state.reached, position.group == group else { return nil }
            least = least.map { $0.revision < position.revision ? $0 : position } ?? position
        }
        guard endpoints.isStarted else { return least }
        let isQuiet =
            endpoints.inFlight.isEmpty && endpoints.owesNothing && !asked.contains { $0.type == .endpoint && !$0.names.isEmpty }
        guard let position = isQuiet ? endpointPosition : endpoints.acknowledged.updates, position.group == group else {
            return nil
        }
        return least.map { $0.revision < position.revision ? $0 : position } ?? position
    }

    private func isSettled(_ state: WorldTypeState, at current: Position) -> Bool {
        !state.isStarted || state.isSettled && state.position == current
    }

    var current: Position? { group.map { Position(group: $0, revision: latest) } }

    // MARK: Events

    /// The client's pod belongs to the group of `position`, which from now on is pinned for this stream.
    public mutating func assigned(_ position: Position) -> [DeltaAction] {
        group = position.group
        latest = position.revision
        pinned.insert(position.group)
        return advance()
    }

    /// A moment (about a second) has passed since the stream began. A client that came back and has not asked for listeners
    /// by now has none that need its old clusters.
    public mutating func graceElapsed() -> [DeltaAction] {
        isGraceOver = true
        return advance()
    }

    /// Whether a listener is withheld because its address was taken, by another listener or by another process.
    public var hasAddressConflicts: Bool { listeners.hasAddressConflicts }

    /// Some time has passed since such a rejection: the address may be free, which no change would tell.
    public mutating func addressPauseElapsed() -> [DeltaAction] {
        listeners.addressPauseElapsed()
        return advance()
    }

    /// The snapshot of a group moved on.
    public mutating func updated(_ update: GroupUpdate) -> [DeltaAction] {
        guard update.to.group == group else { return [] }
        latest = max(latest, update.to.revision)
        return advance()
    }

    /// The client sent a request. It may acknowledge or reject a response, and change what it subscribes to, at once.
    public mutating func received(_ request: WorldRequest) -> [DeltaAction] {
        guard let type = ResourceType(typeURL: request.typeURL) else { return answerUnknown(request) }
        var actions: [DeltaAction] = []
        switch type {
        case .cluster:
            if !clusters.isStarted { claimedVersion = request.version }
            actions = take(request, type, \.clusters)
        case .listener: actions = take(request, type, \.listeners)
        case .endpoint: actions = takeEndpoints(request)
        }
        return actions + advance()
    }

    /// The snapshot answered this stream's fetches.
    public mutating func answered(_ results: [FetchResult]) -> [DeltaAction] {
        let question = asked
        asked = []
        let world = { (type: ResourceType) in results.first { $0.type == type }?.world }
        guard let position = results.first?.position, position.group == group, results.count == question.count else {
            endpoints.isOutrun = false
            // The stream changed its group meanwhile: it asks the new one.
            for fetch in question where fetch.type == .endpoint {
                endpoints.owed.formUnion(fetch.names)
            }
            return advance()
        }
        latest = max(latest, position.revision)
        var endpointResult = results.first { $0.type == .endpoint }
        if endpoints.isOutrun, let fetch = endpointResult?.fetch {
            // The client has asked for everything since: the same is asked once more, from the beginning.
            endpoints.owed.formUnion(fetch.names)
            endpointResult = nil
        }
        endpoints.isOutrun = false
        var actions: [DeltaAction] = []
        var listenerResult = world(.listener)
        if let clusters = world(.cluster) {
            switch returnPlan(clusters, at: position, hasListeners: listenerResult != nil) {
            case .keeping(let kept): actions += sendClusters(clusters, at: position, keeping: kept, endpointResult)
            case .listenersFirst:
                if let listeners = listenerResult { actions += sendListeners(listeners, at: position, areFirst: true) }
                listenerResult = nil
                actions += sendClusters(clusters, at: position, endpointResult)
            case .waiting: awaitsListeners = true
            }
        }
        actions += sendEndpoints(endpointResult, awaited: takeAwaited(world(.cluster)))
        if let listenerResult { actions += sendListeners(listenerResult, at: position) }
        if hasLeftovers, listenersStand(at: position), let clusters = world(.cluster) {
            actions += sendClusters(clusters, at: position, endpointResult)
            actions += sendEndpoints(nil, awaited: takeAwaited(clusters))
        }
        return actions + advance()
    }

    mutating func takeNonce() -> Nonce { nextNonce.take() }
}
