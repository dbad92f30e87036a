import DequeModule

/// What a client has of one resource, as far as the server can tell.
public struct ResourceStatus: Sendable, Hashable {
    /// How far the client is with a resource.
    public enum State: Sendable, Hashable {
        /// It was sent, and acknowledged.
        case acknowledged
        /// It was sent, and not answered yet.
        case sent
        /// It is there, and not sent yet.
        case notSent
        /// The client rejected it, in these words.
        case rejected(String)
        /// The client asked for a name that does not exist.
        case absent
        /// It is gone, which the client was told and has not answered.
        case removalSent
        /// It is gone, which the client was not told yet.
        case removalNotSent
        /// It is being looked up.
        case unknown
    }

    /// The resource's type.
    public let type: ResourceType
    /// The resource's name.
    public let name: String
    /// The version that the client has, or is to have; nil when there is none, or when it is not known.
    public let version: Digest?
    /// The resource that the state speaks of, also when it was rejected.
    public let resource: EncodedResource?
    /// How far the client is with it.
    public let state: State

    init(_ type: ResourceType, _ name: String, _ state: State, version: Digest? = nil, resource: EncodedResource? = nil) {
        self.type = type
        self.name = name
        self.state = state
        self.version = version
        self.resource = resource
    }

    init(_ resource: EncodedResource, _ state: State) {
        self.init(resource.type, resource.name, state, version: resource.version, resource: resource)
    }
}

extension TypeAccount {
    /// What the client has of the type.
    /// - Parameter inventory: what there is in the client's group; nil for a client that waits for its group.
    public func statuses(_ inventory: Inventory?) -> [ResourceStatus] {
        guard let inventory else {
            return (isWildcard ? ["*"] : []).map { ResourceStatus(type, $0, .notSent) }
                + names.sorted().map { ResourceStatus(type, $0, .notSent) }
        }
        let present =
            switch progress {
            case .steps(let state, let updates, let removals): steps(state, updates, removals, inventory)
            case .whole(let state): whole(state, inventory)
            }
        guard !names.isEmpty else { return present }
        let known = Set(present.map(\.name))
        return present + names.filter { !known.contains($0) }.sorted().map { ResourceStatus(type, $0, .absent) }
    }

    private func steps(_ state: DeltaTypeState, _ updates: Position?, _ removals: Position?, _ inventory: Inventory)
        -> [ResourceStatus]
    {
        var sent: [String: Digest?] = [:]
        for response in state.inFlight {
            for resource in response.resources { sent.updateValue(resource.version, forKey: resource.name) }
            for name in response.removed { sent.updateValue(nil, forKey: name) }
        }
        let owed = state.retries.reduce(into: state.owed.union(state.refreshed)) { $0.formUnion($1) }
        let changes = updates.flatMap { inventory.changes[$0] }
        var statuses: [ResourceStatus] = []
        for resource in inventory.resources where includes(resource.name) {
            if let rejection = state.rejected[resource.name], rejection.version == resource.version {
                // What it had before, a delta client does not say.
                statuses.append(
                    ResourceStatus(type, resource.name, .rejected(rejection.message), version: nil, resource: resource))
            } else if let version = sent[resource.name] {
                statuses.append(ResourceStatus(resource, version == resource.version ? .sent : .notSent))
            } else if updates == nil || owed.contains(resource.name) || changes?.changed.contains(resource.name) == true {
                statuses.append(ResourceStatus(resource, .notSent))
            } else {
                statuses.append(ResourceStatus(resource, changes == nil || state.isFetching ? .unknown : .acknowledged))
            }
        }
        let known = Set(inventory.resources.map(\.name))
        let told = sent.filter { $0.value == nil && !known.contains($0.key) }.keys
        let gone = (type == .cluster ? removals : updates).flatMap { inventory.changes[$0]?.removed } ?? []
        statuses += told.sorted().map { ResourceStatus(type, $0, .removalSent) }
        statuses += gone.filter { !known.contains($0) && !told.contains($0) && includes($0) }
            .map { ResourceStatus(type, $0, .removalNotSent) }
        return statuses
    }

    private func whole(_ state: WorldTypeState, _ inventory: Inventory) -> [ResourceStatus] {
        let held = state.held?.resources ?? [:]
        let acknowledged = state.acknowledged?.resources ?? [:]
        let rejections = state.rejections
        var statuses: [ResourceStatus] = []
        for resource in inventory.resources where includes(resource.name) {
            let name = resource.name
            if held[name]?.version == resource.version {
                statuses.append(ResourceStatus(resource, acknowledged[name]?.version == resource.version ? .acknowledged : .sent))
            } else if let message = rejections[name] {
                statuses.append(
                    ResourceStatus(type, name, .rejected(message), version: held[name]?.version, resource: resource))
            } else {
                statuses.append(ResourceStatus(resource, .notSent))
            }
        }
        let known = Set(inventory.resources.map(\.name))
        for name in Set(held.keys).union(acknowledged.keys).subtracting(known).sorted() where includes(name) {
            statuses.append(ResourceStatus(type, name, held[name] == nil ? .removalSent : .removalNotSent))
        }
        return statuses
    }

    /// What identifies the statuses of a client that has nothing of its own: clients with equal ones have the same.
    public func sharedKey(_ inventory: Inventory) -> ResourceType? {
        takesEverything && !positions.isEmpty && positions.allSatisfy { inventory.changes[$0]?.isEmpty == true } ? type : nil
    }
}
