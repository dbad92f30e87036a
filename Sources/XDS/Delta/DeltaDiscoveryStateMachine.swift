import DequeModule

/// One delta xDS stream: what the client asked for, what it was sent, and what it is owed (xDS protocol, "Incremental xDS").
///
/// The state is, for each type, where the client stands in its group's history (`positions`), what it is subscribed to, and
/// the responses under way. Every event leaves the machine in a state where one of three is true of each type: the client
/// stands at the group's latest revision; a fetch is under way; or something that will come (an acknowledgement that opens the
/// window, the clusters that a listener needs) starts the next fetch. So streams converge whatever the interleaving.
public struct DeltaDiscoveryStateMachine {
    /// The group of the client's pod; nil until the pod is known and everything is synced: until then requests are remembered, unanswered.
    private var group: GroupID?
    private var latest = Revision.initial
    /// Where the client stands in each part; nil before its first answer.
    private var positions: [Position?] = Array(repeating: nil, count: Part.allCases.count)
    private var types = ResourceType.allCases.map { DeltaTypeState($0) }
    /// Clusters that the client may have though no log from where it stands would say that they are gone: it brought them from an
    /// earlier stream, or got them while it moved between groups. Looked up once its listeners need none of them.
    private var doubtfulClusters: Set<String> = []
    /// Whether the client brought anything from an earlier stream.
    private var isReturning = false
    /// Whether a client that came back has had its time to ask for its listeners.
    private var isGraceOver = false
    private var pinned: Set<GroupID> = []
    private var nextNonce: UInt32 = 1

    /// Makes the state of a new stream.
    public init() {}

    /// Responses that the client has not answered, of all types.
    public var inFlightCount: Int { types.reduce(0) { $0 + $1.inFlight.count } }

    /// Bytes of the names that the client has made the stream keep, each of which counts `nameCost` besides its text. Walks all of them.
    public func nameByteCount(nameCost: Int) -> Int {
        types.reduce(doubtfulClusters.nameByteCount(nameCost: nameCost)) { $0 + $1.nameByteCount(nameCost: nameCost) }
    }

    /// Whether the client has been sent everything, and has acknowledged it.
    public var isSettled: Bool {
        guard let group else { return false }
        let current = Position(group: group, revision: latest)
        return inFlightCount == 0 && doubtfulClusters.isEmpty
            && types.allSatisfy { $0.owed.isEmpty && $0.refreshed.isEmpty && $0.retries.isEmpty }
            && Part.allCases.allSatisfy { part in
                let position = positions[part.rawValue]
                return !self[part.type].isStarted || position == current || (position == nil && self[part.type].isIdle)
            }
    }

    /// How far the client is, by its own word.
    public var progress: StreamProgress {
        let rejected = ResourceType.allCases.flatMap { type in
            self[type].rejections.map { StreamProgress.Rejected(type: type, name: $0.key, message: $0.value) }
        }
        return StreamProgress(
            types: Set(ResourceType.allCases.filter { self[$0].isAsking }),
            acknowledged: acknowledged, rejected: rejected.sorted { ($0.type.rawValue, $0.name) < ($1.type.rawValue, $1.name) })
    }

    /// The least of what is acknowledged of each part; nil while a part has not been asked for, or stands in another group.
    private var acknowledged: Position? {
        guard let group, types.contains(where: \.isAsking) else { return nil }
        var least = latest
        for type in ResourceType.allCases where self[type].isAsking {
            let state = self[type]
            let isQuiet = state.inFlight.isEmpty && state.doubted.isEmpty
            let reached = isQuiet ? reached(type) : state.acknowledged
            for position in type == .cluster ? [reached.updates, reached.removals] : [reached.updates] {
                guard let position, position.group == group else { return nil }
                least = min(least, position.revision)
            }
        }
        return Position(group: group, revision: least)
    }

    /// What is known of the client, for those who ask what it was sent.
    public var account: StreamAccount {
        StreamAccount(
            group: group,
            types: ResourceType.allCases.filter { self[$0].isStarted }.map { type in
                let reached = reached(type)
                return TypeAccount(
                    type: type, subscription: .delta(self[type].subscription),
                    progress: .steps(self[type], updates: reached.updates, removals: reached.removals))
            })
    }

    // MARK: Events

    /// The client's pod belongs to the group of `position`, which from now on is pinned for this stream.
    public mutating func assigned(_ position: Position) -> [DeltaAction] {
        group = position.group
        latest = position.revision
        pinned.insert(position.group)
        return advance()
    }

    /// The client sent a request. It may acknowledge or reject a response, and change what it subscribes to, at once.
    public mutating func received(_ request: DeltaRequest) -> [DeltaAction] {
        guard let type = ResourceType(typeURL: request.typeURL) else { return answerUnknown(request) }
        var actions: [DeltaAction] = []
        if let message = request.rejection {
            if let culprits = self[type].reject(request.nonce, message: message) {
                actions.append(.rejected(Rejection(type: type, culprits: culprits, message: message)))
            }
        } else if !request.nonce.isEmpty {
            self[type].acknowledge(request.nonce)
        }
        subscribe(type, request)
        return actions + advance()
    }

    /// A moment (about a second) has passed since the stream began. A client that came back and has not asked for listeners
    /// by now has none that need its old clusters.
    public mutating func graceElapsed() -> [DeltaAction] {
        isGraceOver = true
        if !self[.endpoint].isStarted { self[.endpoint].refreshed = [] }
        return advance()
    }

    /// Whether a listener is withheld because its address was taken, by another listener or by another process.
    public var hasAddressConflicts: Bool { self[.listener].hasAddressConflicts }

    /// Some time has passed since such a rejection: the address may be free, which no change would tell.
    public mutating func addressPauseElapsed() -> [DeltaAction] {
        self[.listener].addressPauseElapsed()
        return advance()
    }

    /// The snapshot of a group moved on.
    public mutating func updated(_ update: GroupUpdate) -> [DeltaAction] {
        guard update.to.group == group else { return [] }
        latest = max(latest, update.to.revision)
        var actions: [DeltaAction] = []
        for part in Part.allCases where canStep(part, update) {
            positions[part.rawValue] = update.to
            guard let step = update.steps[part] else { continue }
            if part == .endpoints { self[.endpoint].subscription.advance(step) }
            if part == .clusterUpdates {
                doubt(step, from: positions[Part.clusterRemovals.rawValue], to: update.to)
                // Endpoints that stand somewhere get there by a step, which says what the updated clusters wait for.
                if positions[Part.endpoints.rawValue] == nil { refreshEndpoints(of: step, unless: nil) }
            }
            actions += respond(part.type, step: step, named: [:])
        }
        return actions + advance()
    }

    /// The snapshot answered this stream's fetches.
    public mutating func answered(_ results: [FetchResult]) -> [DeltaAction] {
        for result in results { self[result.type].isFetching = false }
        if results.contains(where: \.isOutdated) { return [.resync] }
        var actions: [DeltaAction] = []
        let endpointStep = results.first { $0.type == .endpoint }?.steps[.endpoints]
        for result in results.sorted(by: { $0.type.rawValue < $1.type.rawValue }) {
            switch result.type {
            case .cluster:
                refreshEndpoints(of: result.steps[.clusterUpdates], unless: endpointStep)
                // A cluster sent again by name, after a rejection, waits for its endpoints as well.
                for (name, resource) in result.named where resource != nil && self[.endpoint].subscription.includes(name) {
                    self[.endpoint].refreshed.insert(name)
                }
                actions += take(result, .clusterUpdates)
            case .endpoint: actions += take(result, .endpoints)
            case .listener: actions += take(result, .listeners)
            }
        }
        if let result = results.first(where: { $0.steps[.clusterRemovals] != nil }) { actions += take(result, .clusterRemovals) }
        return actions + advance()
    }
}

// MARK: - Subscriptions

extension DeltaDiscoveryStateMachine {
    private mutating func subscribe(_ type: ResourceType, _ request: DeltaRequest) {
        if !self[type].isStarted {
            self[type].isStarted = true
            // An empty first request asks for everything, of the types for which that was so before "*" was (legacy wildcard).
            if request.subscribe.isEmpty && type != .endpoint { wantEverything(type) }
            // Without a request for clusters before it, Envoy's clusters are warming and wait for an answer to each name.
            if !request.held.isEmpty, type != .endpoint || self[.cluster].isStarted {
                self[type].held = request.held
                self[type].mustAnswer = false
                isReturning = true
                if type == .cluster { doubtfulClusters = Set(request.held.versions.keys) }
                for name in self[type].refreshed { self[type].held?.forget(name) }
            }
        }
        for name in request.subscribe {
            if name == "*" {
                if !self[type].subscription.isWildcard { wantEverything(type) }
            } else {
                self[type].subscription.subscribe(name)
                self[type].owed.insert(name)
                self[type].refreshed.remove(name)
                self[type].forgetRejection(of: name)
            }
        }
        for name in request.unsubscribe {
            if name == "*" {
                self[type].subscription.unsubscribeFromAll()
            } else {
                let wasAsked = self[type].subscription.isWildcard && self[type].subscription.names.contains(name)
                self[type].subscription.unsubscribe(name)
                self[type].listIsCurrent = false
                self[type].forgetDoubt(of: name)
                self[type].owed.remove(name)
                // The client has to learn whether the wildcard covers the name (xDS protocol, "Unsubscribing from Resources").
                if wasAsked { self[type].owed.insert(name) }
                self[type].refreshed.remove(name)
            }
        }
    }

    private mutating func wantEverything(_ type: ResourceType) {
        self[type].subscription.subscribeToAll()
        self[type].mustAnswer = true
        for part in Part.allCases where part.type == type { positions[part.rawValue] = nil }
    }

    /// A type that this server does not have: none of the names exists, and the stream lives.
    private mutating func answerUnknown(_ request: DeltaRequest) -> [DeltaAction] {
        guard request.rejection == nil, request.nonce.isEmpty || !request.subscribe.isEmpty else { return [] }
        let removed = Set(request.subscribe).subtracting(["*"]).sorted()
        let body = DeltaResponse.body(typeURL: request.typeURL, systemVersion: "", resources: [], removed: removed)
        return [.send(head: DeltaResponse.head(nonce: takeNonce()), body: body)]
    }
}

// MARK: - Steps and fetches

extension DeltaDiscoveryStateMachine {
    /// Starts every fetch that something is owed for and that may start now, and lets go of groups left behind.
    private mutating func advance() -> [DeltaAction] {
        var actions: [DeltaAction] = []
        for type in ResourceType.allCases where !isAtRest(type) {
            guard let fetch = nextFetch(type) else { continue }
            self[type].isFetching = true
            actions.append(.fetch(fetch))
        }
        // An answer that is under way may yet put the stream into the group that it was asked of.
        let mayLetGo = !types.contains(where: \.isFetching)
        for old in pinned where mayLetGo && old != group && !positions.contains(where: { $0?.group == old }) {
            pinned.remove(old)
            actions.append(.release(old))
        }
        return actions
    }

    /// Whether the client stands at the latest revision of a type and is owed nothing: so it is nearly always, and then nothing is
    /// to be fetched.
    private func isAtRest(_ type: ResourceType) -> Bool {
        guard let group else { return true }
        let current = Position(group: group, revision: latest)
        guard self[type].owesNothing, positions[Part.updates(of: type).rawValue] == current else { return false }
        return type != .cluster || (positions[Part.clusterRemovals.rawValue] == current && doubtfulClusters.isEmpty)
    }

    private mutating func nextFetch(_ type: ResourceType) -> Fetch? {
        let state = self[type]
        guard let group, state.isStarted, !state.isFetching, state.isWindowOpen else { return nil }
        let current = Position(group: group, revision: latest)
        let part = Part.updates(of: type)
        guard mayMove(part, to: current) else { return nil }
        var fetch = Fetch(type)
        fetch.names = state.owed
        fetch.refreshed = state.refreshed
        fetch.held = state.held
        addRemovals(&fetch, to: current)
        let position = positions[part.rawValue]
        // Without a position only a wildcard takes a step: names are asked for one by one.
        let isBehind = position.map { $0 != current } ?? state.subscription.isWildcard
        if !isBehind && fetch.isEmpty {
            guard let names = self[type].retries.popFirst() else { return nil }
            fetch.names = Set(names)
        }
        // What is asked for by name comes from the latest snapshot: the position has to move there with it.
        if isBehind || position != nil { fetch.steps.updateValue(position, forKey: part) }
        if type == .endpoint && !state.owed.isEmpty {
            fetch.subscription = state.subscription.list
            self[type].listIsCurrent = true
        }
        self[type].owed = []
        self[type].refreshed = []
        self[type].held = nil
        return fetch
    }

    private func addRemovals(_ fetch: inout Fetch, to current: Position) {
        guard fetch.type == .cluster, let position = positions[Part.clusterRemovals.rawValue],
            position != current || !doubtfulClusters.isEmpty, mayMove(.clusterRemovals, to: current)
        else { return }
        fetch.steps.updateValue(position, forKey: .clusterRemovals)
        fetch.checked = doubtfulClusters
    }

    /// Whether the parts that must go first are where `part` would go.
    private func mayMove(_ part: Part, to target: Position) -> Bool {
        switch part {
        case .clusterUpdates, .endpoints: return true
        // A fetch of the clusters that can start now is answered together with the listeners'.
        case .listeners:
            // A client that comes back and has not asked for clusters yet will, in a moment.
            guard self[.cluster].isAsking else { return !isReturning || isGraceOver }
            let isCurrent = positions[Part.clusterUpdates.rawValue] == target
            return isCurrent || self[.cluster].isFetching || self[.cluster].isWindowOpen
        case .clusterRemovals: return listenersStand(at: target)
        }
    }

    /// Whether no listener of the client needs a cluster that is gone at `target`.
    private func listenersStand(at target: Position) -> Bool {
        if self[.listener].isAsking { return positions[Part.listeners.rawValue] == target }
        // A client that comes back has listeners, and asks for them in a moment.
        return !isReturning || isGraceOver
    }

    /// Whether the stream takes an update's step of `part` as it is.
    private func canStep(_ part: Part, _ update: GroupUpdate) -> Bool {
        guard let from = update.from, self[part.type].isStarted, !self[part.type].isFetching, positions[part.rawValue] == from
        else { return false }
        if update.steps[part] != nil && !self[part.type].isWindowOpen { return false }
        switch part {
        case .clusterUpdates, .endpoints: return true
        case .listeners: return !self[.cluster].isAsking || positions[Part.clusterUpdates.rawValue] == update.to
        case .clusterRemovals: return listenersStand(at: update.to)
        }
    }

    private mutating func take(_ result: FetchResult, _ part: Part) -> [DeltaAction] {
        let type = part.type
        let step = result.steps[part]
        if part == .listeners, step != nil, self[.cluster].isAsking, positions[Part.clusterUpdates.rawValue] != result.position {
            // The clusters did not come along after all: the same is asked once more.
            self[type].owed.formUnion(result.fetch.names)
            self[type].held = result.fetch.held
            return []
        }
        if part == .clusterRemovals && !(mayMove(part, to: result.position) && self[type].isWindowOpen) { return [] }
        if part == .clusterUpdates, result.isHeld, let held = result.fetch.held {
            doubtfulClusters.subtract(held.versions.keys)
        }
        if part == .clusterUpdates, let step { doubt(step, from: positions[Part.clusterRemovals.rawValue], to: result.position) }
        if part == .endpoints {
            if let step { self[type].subscription.advance(step) }
            for (name, resource) in result.named { self[type].subscription.found(name, exists: resource != nil) }
            if let coverage = result.coverage, self[type].listIsCurrent { self[type].subscription.collapse(coverage) }
        }
        if step != nil || positions[part.rawValue] == nil { positions[part.rawValue] = result.position }
        if part == .clusterUpdates && positions[Part.clusterRemovals.rawValue] == nil {
            positions[Part.clusterRemovals.rawValue] = result.position
        }
        if part == .clusterRemovals {
            doubtfulClusters = []
            return respond(type, step: step, named: Dictionary(uniqueKeysWithValues: result.absent.map { ($0, nil) }))
        }
        return respond(type, step: result.everything ?? step, named: result.named)
    }

    /// Clusters that come by way of a group which the removals never visit are in no log that the removals read.
    private mutating func doubt(_ step: Step, from removals: Position?, to target: Position) {
        guard let removals, removals.group != target.group else { return }
        doubtfulClusters.formUnion((step.updated + step.added).map(\.name))
    }

    /// Envoy waits for the endpoints of a cluster that was updated, without asking for them.
    private mutating func refreshEndpoints(of step: Step?, unless endpointStep: Step?) {
        guard let step, self[.endpoint].isStarted || (isReturning && !isGraceOver) else { return }
        let told = Set((endpointStep.map { $0.updated + $0.added + $0.resent } ?? []).map(\.name))
        // A cluster that is new to the snapshot may be an update to the client, which has not heard yet that the old one is gone.
        for cluster in step.updated + step.added where !told.contains(cluster.name) {
            // A client that has not asked for endpoints yet will, and may bring versions that would keep the answer back.
            let mayWait = self[.endpoint].isStarted ? self[.endpoint].subscription.includes(cluster.name) : true
            if mayWait { self[.endpoint].refreshed.insert(cluster.name) }
        }
    }
}

// MARK: - Responses

extension DeltaDiscoveryStateMachine {
    private mutating func respond(_ type: ResourceType, step: Step?, named: [String: EncodedResource?]) -> [DeltaAction] {
        if let step, named.isEmpty, !step.body.isEmpty, self[type].takesWhole(step) {
            self[type].mustAnswer = false
            return [send(type, .step(step), body: step.body)]
        }
        var resources: [String: EncodedResource] = [:]
        var removed: Set<String> = []
        for resource in (step?.updated ?? []) + (step?.added ?? []) + (step?.resent ?? []) {
            if self[type].subscription.includes(resource.name) { resources[resource.name] = resource }
        }
        for (name, resource) in named {
            resources[name] = resource
            if resource == nil { removed.insert(name) }
        }
        for name in step?.carriedRemovals ?? [] where self[type].subscription.includes(name) { removed.insert(name) }
        for name in removed { self[type].forgetRejection(of: name) }
        let permitted = resources.values.filter { self[type].permits($0) }.sorted { $0.name < $1.name }
        // Who gets clusters learns of a removal from them; removed endpoints go with the next response.
        if type == .endpoint && (!permitted.isEmpty || !removed.isEmpty || !self[.cluster].isStarted) {
            removed.formUnion(self[type].subscription.takeUntold())
        }
        guard !permitted.isEmpty || !removed.isEmpty || (self[type].mustAnswer && step != nil) else { return [] }
        self[type].mustAnswer = false
        let content = SentResponse.Content.own(resources: permitted, removed: removed.sorted())
        let body = DeltaResponse.body(
            typeURL: type.typeURL, systemVersion: "", resources: permitted, removed: removed.sorted())
        return [send(type, content, body: body)]
    }

    private mutating func send(_ type: ResourceType, _ content: SentResponse.Content, body: [UInt8]) -> DeltaAction {
        let nonce = takeNonce()
        self[type].inFlight.append(SentResponse(nonce: nonce, content: content, reached: reached(type)))
        return .send(head: DeltaResponse.head(nonce: nonce), body: body)
    }

    private func reached(_ type: ResourceType) -> ReachedPositions {
        ReachedPositions(
            updates: positions[Part.updates(of: type).rawValue],
            removals: type == .cluster ? positions[Part.clusterRemovals.rawValue] : nil)
    }

    private mutating func takeNonce() -> String {
        defer { nextNonce &+= 1 }
        return DeltaResponse.nonce(nextNonce)
    }

    private subscript(type: ResourceType) -> DeltaTypeState {
        // Not `get`, which would copy the state, and retain all that is in it, for each look at one of its members.
        _read { yield types[type.rawValue] }
        _modify { yield &types[type.rawValue] }
    }
}

extension DeltaTypeState {
    /// Whether every resource of a step's shared body goes to this client, and nothing else does.
    fileprivate func takesWhole(_ step: Step) -> Bool {
        guard rejected.isEmpty, subscription.untold.isEmpty else { return false }
        if step.part == .endpoints && step.added.contains(where: { subscription.includes($0.name) }) { return false }
        return subscription.isWildcard
            || (step.carried.allSatisfy { subscription.includes($0.name) }
                && step.carriedRemovals.allSatisfy { subscription.includes($0) })
    }
}
