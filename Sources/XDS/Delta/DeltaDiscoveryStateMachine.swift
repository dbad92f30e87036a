import DequeModule

/// One delta xDS stream: what the client asked for, what it was sent, and what it is owed (xDS protocol, "Incremental xDS").
///
/// The state is, for each type, where the client stands in its group's history (`positions`), what it is subscribed to, and
/// the responses under way. Every event leaves the machine in a state where one of three is true of each type: the client
/// stands at the group's latest revision; a fetch is under way; or something that will come (an acknowledgement that opens the
/// window, the clusters that a listener needs) starts the next fetch. So streams converge whatever the interleaving.
public struct DeltaDiscoveryStateMachine {
    /// The group of the client's pod; nil until the pod is known and everything is synced: until then requests are remembered, unanswered.
    private(set) var group: GroupID?
    private(set) var latest = Revision.initial
    /// Where the client stands in each part; nil before its first answer.
    var positions = PartTable<Position>()
    // Not an array of three: a push would look for them in one more place of memory.
    private var clusters = DeltaTypeState(.cluster)
    private var endpoints = DeltaTypeState(.endpoint)
    private var listeners = DeltaTypeState(.listener)
    /// Clusters that the client may have though no log from where it stands would say that they are gone: it brought them from an
    /// earlier stream, or got them while it moved between groups. Looked up once its listeners need none of them.
    var doubtfulClusters: Set<String> = []
    /// Whether the client brought anything from an earlier stream.
    var isReturning = false
    /// Whether a client that came back has had its time to ask for its listeners.
    private(set) var isGraceOver = false
    /// Groups that the client belonged to before, as long as it stands in them somewhere.
    var left: Set<GroupID> = []
    private var nextNonce = Nonce(number: 1)

    /// Makes the state of a new stream.
    public init() {}

    /// Responses that the client has not answered, of all types.
    public private(set) var inFlightCount = 0

    /// Bytes of the names that the client has made the stream keep, each of which counts `nameCost` besides its text. Walks all of them.
    public func nameByteCount(nameCost: Int) -> Int {
        ResourceType.allCases.reduce(doubtfulClusters.nameByteCount(nameCost: nameCost)) {
            $0 + self[$1].nameByteCount(nameCost: nameCost)
        }
    }

    /// Whether the client has been sent everything, and has acknowledged it.
    public var isSettled: Bool {
        guard let group else { return false }
        let current = Position(group: group, revision: latest)
        return inFlightCount == 0 && doubtfulClusters.isEmpty
            && ResourceType.allCases.allSatisfy {
                self[$0].owed.isEmpty && self[$0].refreshed.isEmpty && self[$0].retries.isEmpty
            }
            && Part.allCases.allSatisfy { part in
                let position = positions[part]
                return !self[part.type].isStarted || position == current || (position == nil && self[part.type].isIdle)
            }
    }

    /// How far the client is, by its own word. Told with every acknowledgement, so nothing is copied for it.
    public var progress: StreamProgress {
        var types: ResourceTypes = []
        if clusters.isAsking { types.insert(.cluster) }
        if endpoints.isAsking { types.insert(.endpoint) }
        if listeners.isAsking { types.insert(.listener) }
        var rejected: [StreamProgress.Rejected] = []
        if clusters.hasRejections { rejected += clusters.told(as: .cluster) }
        if endpoints.hasRejections { rejected += endpoints.told(as: .endpoint) }
        if listeners.hasRejections { rejected += listeners.told(as: .listener) }
        return StreamProgress(types: types, acknowledged: types.isEmpty ? nil : acknowledged, rejected: rejected)
    }

    /// The least of what is acknowledged of each part; nil while a part has not been asked for, or stands in another group.
    private var acknowledged: Position? {
        guard let group else { return nil }
        var least = latest
        /// Returns whether there is a position in the group.
        func consider(_ position: Position?) -> Bool {
            guard let position, position.group == group else { return false }
            least = min(least, position.revision)
            return true
        }
        if clusters.isAsking {
            let reached = clusters.isQuiet ? reached(.cluster) : clusters.acknowledged
            guard consider(reached.updates), consider(reached.removals) else { return nil }
        }
        if endpoints.isAsking {
            guard consider(endpoints.isQuiet ? reached(.endpoint).updates : endpoints.acknowledged.updates) else { return nil }
        }
        if listeners.isAsking {
            guard consider(listeners.isQuiet ? reached(.listener).updates : listeners.acknowledged.updates) else { return nil }
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
        if let group { left.insert(group) }
        left.remove(position.group)
        group = position.group
        latest = position.revision
        var actions: [DeltaAction] = []
        advance(&actions)
        return actions
    }

    /// The client sent a request. It may acknowledge or reject a response, and change what it subscribes to, at once.
    public mutating func received(_ request: DeltaRequest) -> [DeltaAction] {
        guard let type = ResourceType(typeURL: request.typeURL) else { return answerUnknown(request) }
        var actions: [DeltaAction] = []
        let nonce = Nonce(request.nonce)
        if let message = request.rejection {
            if let nonce, let culprits = self[type].reject(nonce, message: message) {
                for name in culprits where !self[type].subscription.includes(name) { self[type].forgetRejection(of: name) }
                actions.append(.rejected(Rejection(type: type, culprits: culprits, message: message)))
            }
        } else if let nonce {
            self[type].acknowledge(nonce)
        }
        subscribe(type, request)
        advance(&actions)
        return actions
    }

    /// A moment (about a second) has passed since the stream began. A client that came back and has not asked for listeners
    /// by now has none that need its old clusters.
    public mutating func graceElapsed() -> [DeltaAction] {
        isGraceOver = true
        if !self[.endpoint].isStarted { self[.endpoint].refreshed = [] }
        var actions: [DeltaAction] = []
        advance(&actions)
        return actions
    }

    /// Whether a listener is withheld because its address was taken, by another listener or by another process.
    public var hasAddressConflicts: Bool { self[.listener].hasAddressConflicts }

    /// Some time has passed since such a rejection: the address may be free, which no change would tell.
    public mutating func addressPauseElapsed() -> [DeltaAction] {
        self[.listener].addressPauseElapsed()
        var actions: [DeltaAction] = []
        advance(&actions)
        return actions
    }

    /// The snapshot of a group moved on.
    public mutating func updated(_ update: GroupUpdate) -> [DeltaAction] {
        guard update.to.group == group else { return [] }
        latest = max(latest, update.to.revision)
        var actions: [DeltaAction] = []
        for part in Part.allCases where canStep(part, update) {
            positions[part] = update.to
            guard let step = update.steps[part] else { continue }
            if part == .endpoints { self[.endpoint].subscription.advance(step) }
            if part == .clusterUpdates {
                doubt(step, from: positions[.clusterRemovals], to: update.to)
                // Endpoints that stand somewhere get there by a step, which says what the updated clusters wait for.
                if positions[.endpoints] == nil { refreshEndpoints(of: step, unless: nil) }
            }
            respond(part.type, step: step, named: [:], &actions)
        }
        advance(&actions)
        return actions
    }

    /// The snapshot answered this stream's fetches.
    public mutating func answered(_ answers: [FetchResult]) -> [DeltaAction] {
        let results = answers.filter { conclude($0.fetch) }
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
                take(result, .clusterUpdates, &actions)
            case .endpoint: take(result, .endpoints, &actions)
            case .listener: take(result, .listeners, &actions)
            }
        }
        if let result = results.first(where: { $0.steps[.clusterRemovals] != nil }) { take(result, .clusterRemovals, &actions) }
        advance(&actions)
        return actions
    }

    // MARK: State of a type

    subscript(type: ResourceType) -> DeltaTypeState {
        // Not `get`, which would copy the state, and retain all that is in it, for each look at one of its members.
        _read {
            switch type {
            case .cluster: yield clusters
            case .endpoint: yield endpoints
            case .listener: yield listeners
            }
        }
        _modify {
            switch type {
            case .cluster: yield &clusters
            case .endpoint: yield &endpoints
            case .listener: yield &listeners
            }
        }
    }

    /// Looks at the state of a type where it lies: a read through the subscript copies it, with a hundred retains and a block of memory.
    @inline(__always)
    func look<Result>(at type: ResourceType, _ body: (borrowing DeltaTypeState) -> Result) -> Result {
        switch type {
        case .cluster: body(clusters)
        case .endpoint: body(endpoints)
        case .listener: body(listeners)
        }
    }

    mutating func countInFlight() {
        inFlightCount = clusters.inFlight.count + endpoints.inFlight.count + listeners.inFlight.count
    }

    mutating func takeNonce() -> Nonce { nextNonce.take() }
}
