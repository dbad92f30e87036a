/// What the client wants.
extension WorldDiscoveryStateMachine {
    mutating func take(_ request: WorldRequest, _ type: ResourceType, _ path: WritableKeyPath<Self, WorldTypeState>)
        -> [DeltaAction]
    {
        let isFirst = !self[keyPath: path].isStarted
        let nonce = Nonce(request.nonce)
        var actions: [DeltaAction] = []
        if isFirst {
            self[keyPath: path].isStarted = true
            // Whatever version it claims: it may have applied a later, rejected response in part.
            self[keyPath: path].mustAnswer = true
        } else if !request.nonce.isEmpty {
            if let message = request.rejection {
                if let nonce, let culprits = self[keyPath: path].reject(nonce, message: message) {
                    actions.append(.rejected(Rejection(type: type, culprits: culprits, message: message)))
                }
            } else if let nonce {
                self[keyPath: path].acknowledge(nonce)
            }
            // Sent before the client saw the newest response, which it will answer with all that this one says.
            guard let nonce, nonce == self[keyPath: path].lastNonce else { return actions }
        } else {
            // A client that starts over without a new stream.
            self[keyPath: path].mustAnswer = true
        }
        noteNames(request, type)
        let news = self[keyPath: path].subscription.replace(by: request.names, type: type)
        if news.everything || !news.names.isEmpty { self[keyPath: path].mustAnswer = true }
        self[keyPath: path].narrow()
        return actions
    }

    mutating func takeEndpoints(_ request: WorldRequest) -> [DeltaAction] {
        let isFirst = !endpoints.isStarted
        let nonce = Nonce(request.nonce)
        var actions: [DeltaAction] = []
        if !isFirst && !request.nonce.isEmpty {
            if let message = request.rejection {
                if let nonce, let culprits = endpoints.reject(nonce, message: message) {
                    actions.append(.rejected(Rejection(type: .endpoint, culprits: culprits, message: message)))
                }
            } else if let nonce {
                endpoints.acknowledge(nonce)
            }
            guard let nonce, nonce == lastEndpointNonce else { return actions }
        }
        endpoints.isStarted = true
        noteNames(request, .endpoint)
        let news = endpointSubscription.replace(by: request.names, type: .endpoint)
        // Whatever version a new stream claims: the claim speaks of the last response alone, and earlier ones had other names.
        let isFresh = isFirst || request.nonce.isEmpty
        let wanted = isFresh ? endpointSubscription.names : news.names
        for name in wanted { endpoints.rejected[name] = nil }
        for name in endpoints.rejected.keys where !endpointSubscription.includes(name) { endpoints.rejected[name] = nil }
        endpoints.owed.formUnion(wanted)
        endpoints.owed.formIntersection(endpointSubscription.names)
        emptied.formIntersection(endpointSubscription.names)
        if news.everything || isFresh && endpointSubscription.isWildcard {
            endpointPosition = nil
            endpoints.isOutrun = asked.contains { $0.type == .endpoint }
        }
        if isFresh { endpoints.mustAnswer = true }
        return actions
    }

    private mutating func noteNames(_ request: WorldRequest, _ type: ResourceType) {
        if request.names != nil { namesMarks[type] = request.namesMark }
    }

    /// A type that this server does not have: there are no such resources, and the stream lives.
    mutating func answerUnknown(_ request: WorldRequest) -> [DeltaAction] {
        guard request.rejection == nil, request.nonce.isEmpty else { return [] }
        let body = WorldResponse.body(typeURL: request.typeURL, version: Digest.zero.description, resources: [])
        return [.send(head: DeltaResponse.head(nonce: takeNonce()), body: body)]
    }
}
