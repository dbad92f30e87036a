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

    /// Answers with what others of the group get as well, and removals of this client's own; false, and nothing is done, when it is not to
    /// have all of that.
    mutating func respond(with bundle: Step, _ actions: inout [DeltaAction]) -> Bool {
        let takesAll = look(at: .endpoint) { state in
            state.rejected.isEmpty
                && bundle.carried.allSatisfy {
                    state.subscription.includes($0.name)
                        && (state.droppedMeanwhile.isEmpty || !state.droppedMeanwhile.contains($0.name))
                }
        }
        guard takesAll else { return false }
        self[.endpoint].mustAnswer = false
        let untold = self[.endpoint].subscription.takeUntold()
        for name in untold { self[.endpoint].forgetRejection(of: name) }
        let content: SentResponse.Content = untold.isEmpty ? .step(bundle) : .own(resources: bundle.carried, removed: untold)
        actions.append(send(.endpoint, content, body: bundle.body, removed: untold))
        return true
    }

    /// - Parameter removed: removals that the body, which others share, does not tell.
    private mutating func send(
        _ type: ResourceType, _ content: SentResponse.Content, body: [UInt8], removed: [String] = []
    ) -> DeltaAction {
        let nonce = takeNonce()
        self[type].inFlight.append(SentResponse(nonce: nonce, content: content, reached: reached(type)))
        let head = DeltaResponse.head(nonce: nonce)
        return .send(head: removed.isEmpty ? head : DeltaResponse.removals(removed) + head, body: body)
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
