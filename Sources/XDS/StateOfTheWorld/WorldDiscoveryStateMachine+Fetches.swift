import DequeModule

/// What is owed and may go, and what is asked of the snapshot for it.
extension WorldDiscoveryStateMachine {
    /// Starts the next fetch when something is owed that may be sent now, and lets go of groups left behind.
    mutating func advance() -> [DeltaAction] {
        inFlightCount = clusters.inFlightCount + endpoints.inFlight.count + listeners.inFlightCount
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
    func listenersStand(at target: Position) -> Bool {
        listeners.isStarted ? listeners.position == target : claimedVersion.isEmpty || isGraceOver
    }

    /// Whether the client brought clusters, and was told of none yet.
    var isFirstAnswerDue: Bool { !claimedVersion.isEmpty && clusters.held == nil }

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
