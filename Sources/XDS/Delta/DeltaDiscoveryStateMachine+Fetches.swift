import DequeModule

/// What is owed and may go, and what is asked of the snapshot for it.
extension DeltaDiscoveryStateMachine {
    /// Starts every fetch that something is owed for and that may start now, and lets go of groups left behind.
    mutating func advance(_ actions: inout [DeltaAction]) {
        countInFlight()
        for type in ResourceType.allCases where !isAtRest(type) {
            guard let fetch = nextFetch(type) else { continue }
            self[type].isFetching = true
            actions.append(.fetch(fetch))
        }
        // An answer that is under way may yet put the stream into the group that it was asked of.
        guard !left.isEmpty, !ResourceType.allCases.contains(where: { self[$0].isFetching }) else { return }
        for old in left where !Part.allCases.contains(where: { positions[$0]?.group == old }) {
            left.remove(old)
            actions.append(.release(old))
        }
    }

    /// Whether the client stands at the latest revision of a type and is owed nothing: so it is nearly always, and then nothing is
    /// to be fetched.
    private func isAtRest(_ type: ResourceType) -> Bool {
        guard let group else { return true }
        let current = Position(group: group, revision: latest)
        guard positions[.updates(of: type)] == current, look(at: type, { $0.owesNothing }) else { return false }
        return type != .cluster || (positions[.clusterRemovals] == current && doubtfulClusters.isEmpty)
    }

    private mutating func nextFetch(_ type: ResourceType) -> Fetch? {
        guard let group, self[type].isStarted, !self[type].isFetching, self[type].isWindowOpen else { return nil }
        let current = Position(group: group, revision: latest)
        let part = Part.updates(of: type)
        guard mayMove(part, to: current) else { return nil }
        var fetch = Fetch(type)
        fetch.names = self[type].owed
        fetch.refreshed = self[type].refreshed
        fetch.held = self[type].held
        addRemovals(&fetch, to: current)
        let position = positions[part]
        // Without a position only a wildcard takes a step: names are asked for one by one.
        let isBehind = position.map { $0 != current } ?? self[type].subscription.isWildcard
        if !isBehind && fetch.isEmpty {
            while fetch.names.isEmpty {
                guard let names = self[type].retries.popFirst() else { return nil }
                // Some may have been given up since they were rejected.
                fetch.names = Set(names).filter(self[type].subscription.includes)
            }
            fetch.isRetry = true
        }
        // What is asked for by name comes from the latest snapshot: the position has to move there with it.
        if isBehind || position != nil { fetch.steps.updateValue(position, forKey: part) }
        if type == .endpoint && !self[type].owed.isEmpty {
            fetch.takesBundle = fetch.refreshed.isEmpty && fetch.held == nil
            fetch.subscription = self[type].subscription.list
            self[type].listIsCurrent = true
        }
        self[type].owed = []
        self[type].refreshed = []
        self[type].held = nil
        return fetch
    }

    private func addRemovals(_ fetch: inout Fetch, to current: Position) {
        guard fetch.type == .cluster, let position = positions[.clusterRemovals],
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
            let isCurrent = positions[.clusterUpdates] == target
            return isCurrent || self[.cluster].isFetching || self[.cluster].isWindowOpen
        case .clusterRemovals: return listenersStand(at: target)
        }
    }

    /// Whether no listener of the client needs a cluster that is gone at `target`.
    private func listenersStand(at target: Position) -> Bool {
        if look(at: .listener, { $0.isAsking }) { return positions[.listeners] == target }
        // A client that comes back has listeners, and asks for them in a moment.
        return !isReturning || isGraceOver
    }

    /// Whether the stream takes an update's step of `part` as it is.
    func canStep(_ part: Part, _ update: GroupUpdate) -> Bool {
        guard let from = update.from, positions[part] == from else { return false }
        let isFull = update.steps[part] != nil && !look(at: part.type) { $0.isWindowOpen }
        guard !isFull, look(at: part.type, { $0.isStarted && !$0.isFetching }) else { return false }
        switch part {
        case .clusterUpdates, .endpoints: return true
        case .listeners: return !look(at: .cluster) { $0.isAsking } || positions[.clusterUpdates] == update.to
        case .clusterRemovals: return listenersStand(at: update.to)
        }
    }

    /// Takes a fetch for answered; false when the client has asked for everything since it began, so that the same is asked once more.
    mutating func conclude(_ fetch: Fetch) -> Bool {
        self[fetch.type].isFetching = false
        guard self[fetch.type].isOutrun else { return true }
        self[fetch.type].isOutrun = false
        self[fetch.type].owed.formUnion(fetch.names.subtracting(self[fetch.type].droppedMeanwhile))
        self[fetch.type].refreshed.formUnion(fetch.refreshed.subtracting(self[fetch.type].droppedMeanwhile))
        self[fetch.type].droppedMeanwhile = []
        if self[fetch.type].held == nil { self[fetch.type].held = fetch.held }
        return false
    }

    /// The resources that an answer names, as far as they are still wanted.
    private mutating func named(in result: FetchResult, _ part: Part) -> [String: EncodedResource?] {
        var named = result.named
        for resource in result.bundle?.carried ?? [] { named[resource.name] = resource }
        for name in self[part.type].droppedMeanwhile { named[name] = nil }
        guard part == .clusterUpdates && result.fetch.isRetry else { return named }
        // What was rejected beside a culprit, and is gone by now, may have a listener yet, as every cluster that goes.
        for (name, resource) in named where resource == nil {
            doubtfulClusters.insert(name)
            named[name] = nil
        }
        return named
    }

    mutating func take(_ result: FetchResult, _ part: Part, _ actions: inout [DeltaAction]) {
        let type = part.type
        let step = result.steps[part]
        if part == .listeners, step != nil, self[.cluster].isAsking, positions[.clusterUpdates] != result.position {
            // The clusters did not come along after all: the same is asked once more.
            self[type].owed.formUnion(result.fetch.names.subtracting(self[type].droppedMeanwhile))
            self[type].droppedMeanwhile = []
            self[type].held = result.fetch.held
            return
        }
        if part == .clusterRemovals && !(mayMove(part, to: result.position) && self[type].isWindowOpen) { return }
        if part == .clusterUpdates, result.isHeld, let held = result.fetch.held {
            doubtfulClusters.subtract(held.versions.keys)
        }
        if part == .clusterUpdates, let step { doubt(step, from: positions[.clusterRemovals], to: result.position) }
        if part == .endpoints {
            if let step { self[type].subscription.advance(step) }
            let dropped = self[type].droppedMeanwhile
            for (name, resource) in result.named where !dropped.contains(name) {
                self[type].subscription.found(name, exists: resource != nil)
            }
            if result.everything != nil || result.bundle != nil {
                for name in result.fetch.names where !dropped.contains(name) && !result.named.keys.contains(name) {
                    self[type].subscription.found(name, exists: true)
                }
            }
            if let coverage = result.coverage, self[type].listIsCurrent { self[type].subscription.collapse(coverage) }
        }
        if step != nil || positions[part] == nil { positions[part] = result.position }
        if part == .clusterUpdates && positions[.clusterRemovals] == nil {
            positions[.clusterRemovals] = result.position
        }
        if part == .clusterRemovals {
            doubtfulClusters.subtract(result.fetch.checked)
            respond(type, step: step, named: Dictionary(uniqueKeysWithValues: result.absent.map { ($0, nil) }), &actions)
        } else if let bundle = result.bundle, !brings(step), respond(with: bundle, &actions) {
            self[type].droppedMeanwhile = []
        } else {
            respond(type, step: result.everything ?? step, named: named(in: result, part), &actions)
            self[type].droppedMeanwhile = []
        }
    }

    /// Whether a step of endpoints has anything for the client.
    private func brings(_ step: Step?) -> Bool {
        guard let step, !step.isEmpty else { return false }
        return look(at: .endpoint) { state in
            (step.updated + step.added + step.resent).contains { state.subscription.includes($0.name) }
        }
    }

    /// Clusters that come by way of a group which the removals never visit are in no log that the removals read.
    mutating func doubt(_ step: Step, from removals: Position?, to target: Position) {
        guard let removals, removals.group != target.group else { return }
        doubtfulClusters.formUnion((step.updated + step.added).map(\.name))
    }

    /// Envoy waits for the endpoints of a cluster that was updated, without asking for them.
    mutating func refreshEndpoints(of step: Step?, unless endpointStep: Step?) {
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
