extension WorldDiscoveryStateMachine {
    /// How to tell a client that came back of its clusters, the first time.
    func returnPlan(_ world: WorldResult, at position: Position, hasListeners: Bool) -> ReturnPlan {
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

    mutating func sendClusters(
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
        if !listenersStand(at: position), let held = clusters.held, let union = union(of: next, with: held, world) {
            hasLeftovers = true
            state = union
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

    /// `next` with what of `held` is gone from the snapshot; nil when nothing is. What is in the snapshot, and not in `next`, is withheld.
    private func union(of next: WorldState, with held: WorldState, _ world: WorldResult) -> WorldState? {
        guard next.lacksSome(of: held) else { return nil }
        if next === world.state, let transition = world.transition { return transition.union }
        let leftovers = held.resources.filter { world.state.resources[$0.key] == nil }
        return leftovers.isEmpty ? nil : next.union(with: leftovers)
    }

    mutating func sendListeners(_ world: WorldResult, at position: Position, areFirst: Bool = false) -> [DeltaAction] {
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

    mutating func sendEndpoints(_ result: FetchResult?, awaited: [EncodedResource]) -> [DeltaAction] {
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
    mutating func takeAwaited(_ world: WorldResult?) -> [EncodedResource] {
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
