/// What a client wants, and what it brought along.
extension DeltaDiscoveryStateMachine {
    private static let namesAtOnce = 64

    mutating func subscribe(_ type: ResourceType, _ request: DeltaRequest) {
        if !look(at: type, { $0.isStarted }) {
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
        // Room at once for what a call brings, and no more: many names may be the same one, which is all that is accounted for.
        let expected = min(request.subscribe.count, Self.namesAtOnce)
        if expected > 1 { self[type].owed.reserveCapacity(self[type].owed.count + expected) }
        for name in request.subscribe {
            if name == "*" {
                if !self[type].subscription.isWildcard { wantEverything(type) }
            } else {
                self[type].subscription.subscribe(name)
                self[type].droppedMeanwhile.discard(name)
                self[type].owed.insert(name)
                self[type].refreshed.discard(name)
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
                if self[type].isFetching { self[type].droppedMeanwhile.insert(name) }
                self[type].forgetDoubt(of: name)
                if !self[type].subscription.isWildcard { self[type].forgetRejection(of: name) }
                self[type].owed.discard(name)
                // The client has to learn whether the wildcard covers the name (xDS protocol, "Unsubscribing from Resources").
                if wasAsked { self[type].owed.insert(name) }
                self[type].refreshed.discard(name)
            }
        }
    }

    private mutating func wantEverything(_ type: ResourceType) {
        self[type].subscription.subscribeToAll()
        self[type].mustAnswer = true
        self[type].isOutrun = self[type].isFetching
        for part in Part.allCases where part.type == type { positions[part] = nil }
    }

    /// A type that this server does not have: none of the names exists, and the stream lives.
    mutating func answerUnknown(_ request: DeltaRequest) -> [DeltaAction] {
        guard request.rejection == nil, request.nonce.isEmpty || !request.subscribe.isEmpty else { return [] }
        let removed = Set(request.subscribe).subtracting(["*"]).sorted()
        let body = DeltaResponse.body(typeURL: request.typeURL, systemVersion: "", resources: [], removed: removed)
        return [.send(head: DeltaResponse.head(nonce: takeNonce()), body: body)]
    }
}
