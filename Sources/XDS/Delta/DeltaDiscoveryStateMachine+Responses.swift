extension DeltaDiscoveryStateMachine {
    mutating func respond(
        _ type: ResourceType, step: Step?, named: [String: EncodedResource?], _ actions: inout [DeltaAction]
    ) {
        if let step, named.isEmpty, !step.body.isEmpty, look(at: type, { $0.takesWhole(step) }) {
            self[type].mustAnswer = false
            actions.append(send(type, .step(step), body: step.body))
            return
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
            let untold = self[type].subscription.takeUntold()
            for name in untold { self[type].forgetRejection(of: name) }
            removed.formUnion(untold)
        }
        guard !permitted.isEmpty || !removed.isEmpty || (self[type].mustAnswer && step != nil) else { return }
        self[type].mustAnswer = false
        let content = SentResponse.Content.own(resources: permitted, removed: removed.sorted())
        let body = DeltaResponse.body(
            typeURL: type.typeURL, systemVersion: "", resources: permitted, removed: removed.sorted())
        actions.append(send(type, content, body: body))
    }

    private mutating func send(_ type: ResourceType, _ content: SentResponse.Content, body: [UInt8]) -> DeltaAction {
        let nonce = takeNonce()
        self[type].inFlight.append(SentResponse(nonce: nonce, content: content, reached: reached(type)))
        return .send(head: DeltaResponse.head(nonce: nonce), body: body)
    }

    func reached(_ type: ResourceType) -> ReachedPositions {
        ReachedPositions(
            updates: positions[.updates(of: type)],
            removals: type == .cluster ? positions[.clusterRemovals] : nil)
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
