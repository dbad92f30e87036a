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
    private var group: GroupID?
    private var latest = Revision.initial
    private var clusters = WorldTypeState()
    private var listeners = WorldTypeState()
    /// Whether the clusters that the client has include some that only old listeners need.
    private var hasLeftovers = false
    /// The version of the clusters that the client brought from an earlier stream; empty for none. Who has clusters has listeners that
    /// it will ask for.
    private var claimedVersion = ""
    /// Whether the client's old clusters can't be named, and so can leave it only after its listeners, which it has not asked for.
    private var awaitsListeners = false
    /// Leftovers that the client had before the stream began, with endpoints.
    private var brought: Set<String> = []
    /// Whether such a client has had its time to ask for its listeners.
    private var isGraceOver = false
    private var endpoints = DeltaTypeState(.endpoint)
    private var endpointSubscription = WorldSubscription()
    private var endpointPosition: Position?
    private var lastEndpointNonce: String?
    /// Clusters just sent, whose endpoints the client waits for.
    private var awaited: Set<String> = []
    /// Names told to have no endpoints since they were gone: they are looked up with each step, until they are back.
    private var emptied: Set<String> = []
    private var endpointVersion = Digest.zero
    /// What the snapshot is being asked; one question at a time.
    private var asked: [Fetch] = []
    private var pinned: Set<GroupID> = []
    private var nextNonce: UInt32 = 1
    /// The last position up to which the client has acknowledged everything.
    private var reached: Position?

    private let isAggregated: Bool

    /// Makes the state of a new stream.
    /// - Parameter isAggregated: whether all types come by this stream (ADS).
    public init(isAggregated: Bool = true) { self.isAggregated = isAggregated }

    /// Responses that the client has not answered, of all types.
    public var inFlightCount: Int { clusters.inFlightCount + endpoints.inFlight.count + listeners.inFlightCount }

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
        func rejected(_ type: ResourceType, _ messages: [String: String]) -> [StreamProgress.Rejected] {
            messages.sorted { $0.key < $1.key }.map { StreamProgress.Rejected(type: type, name: $0.key, message: $0.value) }
        }
        let all =
            rejected(.cluster, clusters.rejections) + rejected(.endpoint, endpoints.rejected.mapValues(\.message))
            + rejected(.listener, listeners.rejections)
        let started = [
            (ResourceType.cluster, clusters.isStarted), (.endpoint, endpoints.isStarted), (.listener, listeners.isStarted),
        ]
        return StreamProgress(
            types: Set(started.filter(\.1).map(\.0)), acknowledged: reached?.group == group ? reached : nil, rejected: all)
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
    private var acknowledged: Position? {
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

    private var current: Position? { group.map { Position(group: $0, revision: latest) } }

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
            // The stream changed its group meanwhile: it asks the new one.
            for fetch in question where fetch.type == .endpoint {
                endpoints.owed.formUnion(fetch.names)
            }
            return advance()
        }
        latest = max(latest, position.revision)
        let endpointResult = results.first { $0.type == .endpoint }
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
}

// MARK: - Requests

extension WorldDiscoveryStateMachine {
    private mutating func take(_ request: WorldRequest, _ type: ResourceType, _ path: WritableKeyPath<Self, WorldTypeState>)
        -> [DeltaAction]
    {
        let isFirst = !self[keyPath: path].isStarted
        var actions: [DeltaAction] = []
        if isFirst {
            self[keyPath: path].isStarted = true
            // Whatever version it claims: it may have applied a later, rejected response in part.
            self[keyPath: path].mustAnswer = true
        } else if !request.nonce.isEmpty {
            if let message = request.rejection {
                if let culprits = self[keyPath: path].reject(request.nonce, message: message) {
                    actions.append(.rejected(Rejection(type: type, culprits: culprits, message: message)))
                }
            } else {
                self[keyPath: path].acknowledge(request.nonce)
            }
            // Sent before the client saw the newest response, which it will answer with all that this one says.
            guard request.nonce == self[keyPath: path].lastNonce else { return actions }
        } else {
            // A client that starts over without a new stream.
            self[keyPath: path].mustAnswer = true
        }
        let news = self[keyPath: path].subscription.replace(by: request.names, type: type)
        if news.everything || !news.names.isEmpty { self[keyPath: path].mustAnswer = true }
        self[keyPath: path].narrow()
        return actions
    }

    private mutating func takeEndpoints(_ request: WorldRequest) -> [DeltaAction] {
        let isFirst = !endpoints.isStarted
        var actions: [DeltaAction] = []
        if !isFirst && !request.nonce.isEmpty {
            if let message = request.rejection {
                if let culprits = endpoints.reject(request.nonce, message: message) {
                    actions.append(.rejected(Rejection(type: .endpoint, culprits: culprits, message: message)))
                }
            } else {
                endpoints.acknowledge(request.nonce)
            }
            guard request.nonce == lastEndpointNonce else { return actions }
        }
        endpoints.isStarted = true
        let news = endpointSubscription.replace(by: request.names, type: .endpoint)
        // Whatever version a new stream claims: the claim speaks of the last response alone, and earlier ones had other names.
        let isFresh = isFirst || request.nonce.isEmpty
        let wanted = isFresh ? endpointSubscription.names : news.names
        for name in wanted { endpoints.rejected[name] = nil }
        endpoints.owed.formUnion(wanted)
        endpoints.owed.formIntersection(endpointSubscription.names)
        emptied.formIntersection(endpointSubscription.names)
        if news.everything || isFresh && endpointSubscription.isWildcard { endpointPosition = nil }
        if isFresh { endpoints.mustAnswer = true }
        return actions
    }

    /// A type that this server does not have: there are no such resources, and the stream lives.
    private mutating func answerUnknown(_ request: WorldRequest) -> [DeltaAction] {
        guard request.rejection == nil, request.nonce.isEmpty else { return [] }
        let body = WorldResponse.body(typeURL: request.typeURL, version: Digest.zero.description, resources: [])
        return [.send(head: DeltaResponse.head(nonce: takeNonce()), body: body)]
    }
}

// MARK: - Fetches

extension WorldDiscoveryStateMachine {
    /// Starts the next fetch when something is owed that may be sent now, and lets go of groups left behind.
    private mutating func advance() -> [DeltaAction] {
        var actions: [DeltaAction] = []
        if let current, asked.isEmpty {
            asked = nextFetches(to: current)
            actions = asked.map { .fetch($0) }
        }
        // Endpoints alone are found by the log of the group where the client stands.
        for old in pinned where old != group && endpointPosition?.group != old {
            pinned.remove(old)
            actions.append(.release(old))
        }
        if let acknowledged, acknowledged.group != reached?.group || acknowledged.revision > reached?.revision ?? .initial {
            reached = acknowledged
        }
        return actions
    }

    private mutating func nextFetches(to current: Position) -> [Fetch] {
        var fetches: [Fetch] = []
        let mayDropLeftovers = hasLeftovers && listenersStand(at: current)
        let mayAnswerClusters = !awaitsListeners || listeners.isStarted || isGraceOver
        if isDue(clusters, at: current) && mayAnswerClusters || (mayDropLeftovers && clusters.isWindowOpen) {
            var fetch = Fetch(.cluster)
            fetch.world = WorldFetch(held: clusters.held, isReturn: isFirstAnswerDue)
            fetches.append(fetch)
        }
        if let fetch = nextEndpointFetch(to: current) { fetches.append(fetch) }
        let clustersStand = !clusters.isStarted || clusters.position == current || fetches.first?.type == .cluster
        if isDue(listeners, at: current) && clustersStand {
            var fetch = Fetch(.listener)
            fetch.world = WorldFetch(held: listeners.held)
            fetches.append(fetch)
        }
        return fetches
    }

    /// Whether no listener of the client needs a cluster that is gone at `target`.
    private func listenersStand(at target: Position) -> Bool {
        listeners.isStarted ? listeners.position == target : claimedVersion.isEmpty || isGraceOver
    }

    /// Whether the client brought clusters, and was told of none yet.
    private var isFirstAnswerDue: Bool { !claimedVersion.isEmpty && clusters.held == nil }

    private func isDue(_ state: WorldTypeState, at current: Position) -> Bool {
        state.isStarted && state.isWindowOpen && (state.position != current || state.mustAnswer || state.isStale)
    }

    private mutating func nextEndpointFetch(to current: Position) -> Fetch? {
        guard endpoints.isStarted, endpoints.isWindowOpen else { return nil }
        var fetch = Fetch(.endpoint)
        fetch.names = endpoints.owed.union(awaited)
        fetch.refreshed = emptied
        if let from = endpointPosition {
            // What is asked for by name comes from the latest snapshot: the position has to move there with it.
            fetch.steps.updateValue(from, forKey: .endpoints)
        } else if endpointSubscription.isWildcard {
            fetch.steps.updateValue(nil, forKey: .endpoints)
        }
        let isBehind = endpointPosition != current
        if !isBehind && fetch.names.isEmpty {
            guard let names = endpoints.retries.popFirst() else { return nil }
            fetch.names = Set(names).filter(endpointSubscription.includes)
        }
        endpoints.owed = []
        return fetch
    }
}

// MARK: - Responses

extension WorldDiscoveryStateMachine {
    /// How to tell a client that came back of its clusters, the first time.
    private func returnPlan(_ world: WorldResult, at position: Position, hasListeners: Bool) -> ReturnPlan {
        guard isFirstAnswerDue, !listenersStand(at: position) else { return .keeping([:]) }
        let present = world.state.resources
        let departed = world.departed ?? DepartedClusters()
        let names = endpointSubscription.names
        var kept = departed.resources(since: claimedVersion)
        var areAllKnown = kept != nil || endpoints.isStarted
        for name in names where present[name] == nil && kept?[name] == nil {
            if let resource = departed.resource(name) {
                kept = kept ?? [:]
                kept?[name] = resource
            } else {
                areAllKnown = false
            }
        }
        // By a stream of their own, listeners come whenever they come.
        if !areAllKnown && isAggregated {
            guard hasListeners else { return .waiting }
            if present.keys.allSatisfy(names.contains) { return .listenersFirst }
        }
        return .keeping((kept ?? [:]).filter { present[$0.key] == nil && clusters.subscription.includes($0.key) })
    }

    private mutating func sendClusters(
        _ world: WorldResult, at position: Position, keeping kept: [String: EncodedResource] = [:], _ endpointResult: FetchResult?
    ) -> [DeltaAction] {
        guard clusters.isWindowOpen else { return [] }
        clusters.position = position
        guard let next = clusters.next(of: world.state) else {
            hasLeftovers = false
            clusters.stood(at: position)
            return []
        }
        let changed = clusters.changes(to: next, world)
        var state = next
        hasLeftovers = false
        if !listenersStand(at: position), let held = clusters.held, next.lacksSome(of: held) {
            hasLeftovers = true
            let isShared = next === world.state && world.transition != nil
            state = isShared ? world.transition?.union ?? next : next.union(with: held.resources)
            if state.version == held.version && !clusters.mustAnswer { return [] }
        } else if !kept.isEmpty {
            hasLeftovers = true
            state = next.union(with: kept)
            brought = Set(kept.keys)
        }
        if !hasLeftovers { brought = [] }
        let action = send(\.clusters, state, changed: changed, complete: hasLeftovers ? nil : position)
        awaitEndpoints(of: changed, unless: endpointResult)
        return [action]
    }

    private mutating func sendListeners(_ world: WorldResult, at position: Position, areFirst: Bool = false) -> [DeltaAction] {
        guard listeners.isWindowOpen else { return [] }
        guard areFirst || !clusters.isStarted || clusters.position == position else {
            // The clusters did not come along after all.
            listeners.isStale = true
            return []
        }
        listeners.position = position
        guard let next = listeners.next(of: world.state) else {
            listeners.stood(at: position)
            return []
        }
        return [send(\.listeners, next, complete: position)]
    }

    private mutating func sendEndpoints(_ result: FetchResult?, awaited: [EncodedResource]) -> [DeltaAction] {
        var resources: [String: EncodedResource] = [:]
        if let result, result.isOutdated {
            // The way from there is forgotten: everything is said anew.
            endpointPosition = nil
            endpoints.owed.formUnion(endpointSubscription.names)
        } else if let result {
            endpointPosition = result.position
            for resource in [result.steps[.endpoints], result.everything].compactMap(\.self).flatMap(\.all)
            where endpointSubscription.includes(resource.name) { resources[resource.name] = resource }
            for (name, resource) in result.named where endpointSubscription.includes(name) || self.awaited.contains(name) {
                if let resource {
                    resources[name] = resource
                    emptied.remove(name)
                } else if !brought.contains(name), clusters.held?.resources[name] != nil,
                    hasLeftovers || clusters.position != result.position
                {
                    // A cluster on its way out: while the client waits for its endpoints it holds its answer about clusters, and
                    // so the removal. It can't be told that there are none but by an empty assignment.
                    resources[name] = .emptyAssignment(name)
                    emptied.insert(name)
                }
            }
            self.awaited.subtract(result.fetch.names)
        }
        for resource in awaited { resources[resource.name] = resource }
        let permitted = resources.values.filter { endpoints.permits($0) }.sorted { $0.name < $1.name }
        guard !permitted.isEmpty || endpoints.mustAnswer && result != nil else { return [] }
        endpoints.mustAnswer = false
        let nonce = takeNonce()
        lastEndpointNonce = nonce
        let reached = endpointPosition ?? endpoints.inFlight.last?.reached.updates ?? endpoints.acknowledged.updates
        endpoints.inFlight.append(
            SentResponse(
                nonce: nonce, content: .own(resources: permitted, removed: []),
                reached: ReachedPositions(updates: reached, removals: nil)))
        let body = WorldResponse.body(
            typeURL: ResourceType.endpoint.typeURL, version: (result?.version ?? endpointVersion).description,
            resources: permitted)
        return [.send(head: DeltaResponse.head(nonce: nonce), body: body)]
    }

    /// Envoy waits for the endpoints of a cluster that was updated; it repeats its last request, which looks like an acknowledgement.
    ///
    /// When the window is full of cluster responses, the client may wait for the endpoints of a cluster that it asked for in words which
    /// crossed with ours. Then it is told the endpoints of every cluster that it was sent since its last answer.
    private mutating func awaitEndpoints(of changed: [String], unless result: FetchResult?) {
        guard endpoints.isStarted else { return }
        if clusters.isWindowOpen {
            let told = Set(result?.steps[.endpoints]?.all.map(\.name) ?? []).union(result?.fetch.names ?? [])
            awaited.formUnion(changed.filter { endpointSubscription.includes($0) && !told.contains($0) })
        } else {
            awaited.formUnion(clusters.changedInFlight)
        }
    }

    /// The endpoints that clusters just sent wait for. They go at once: a moment later they might be gone, and the client would wait
    /// for ever. Those that are gone already are empty.
    private mutating func takeAwaited(_ world: WorldResult?) -> [EncodedResource] {
        guard let world, !awaited.isEmpty, endpoints.isWindowOpen else { return [] }
        endpointVersion = world.endpointVersion
        let gone = awaited.filter { world.assignments[$0] == nil }
        let found = awaited.compactMap { world.assignments[$0] }
        awaited = []
        guard !clusters.isWindowOpen else { return found }
        emptied.formUnion(gone)
        return found + gone.map(EncodedResource.emptyAssignment)
    }

    private mutating func send(
        _ path: WritableKeyPath<Self, WorldTypeState>, _ content: WorldState, changed: [String] = [], complete: Position?
    ) -> DeltaAction {
        let nonce = takeNonce()
        self[keyPath: path].sent(content, nonce: nonce, changed: changed, complete: complete)
        return .send(head: DeltaResponse.head(nonce: nonce), body: content.body)
    }

    private mutating func takeNonce() -> String {
        defer { nextNonce &+= 1 }
        return DeltaResponse.nonce(nextNonce)
    }
}

extension Step {
    /// Every resource of the step.
    fileprivate var all: [EncodedResource] { updated + added + resent }
}

extension EncodedResource {
    /// A `ClusterLoadAssignment` without hosts.
    fileprivate static func emptyAssignment(_ cluster: String) -> EncodedResource {
        var payload = WireWriter()
        payload.string(cluster, field: 1)
        return EncodedResource(type: .endpoint, name: cluster, payload: payload.output)
    }
}
