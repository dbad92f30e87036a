import DequeModule

/// What a stream knows of its client: a copy of its state, taken on its loop, from which is worked out elsewhere what the client has.
///
/// Streams in step keep no list of what they were sent, so that the copy is small; the list is their group's (see `Inventory`).
public struct StreamAccount: Sendable {
    /// The group of the client's pod; nil while no known pod has its node id.
    public let group: GroupID?
    /// The types that the client has asked for.
    public let types: [TypeAccount]

    init(group: GroupID?, types: [TypeAccount]) {
        self.group = group
        self.types = types
    }
}

/// What a stream knows of its client, of one type.
public struct TypeAccount: Sendable {
    enum Subscription {
        case delta(DeltaSubscription)
        case stateOfTheWorld(WorldSubscription)
    }

    enum Progress {
        /// The client was brought to a position by steps.
        case steps(DeltaTypeState, updates: Position?, removals: Position?)
        /// The client was sent a whole state.
        case whole(WorldTypeState)
    }

    /// The type.
    public let type: ResourceType
    let subscription: Subscription
    let progress: Progress

    /// Names asked for one by one, as far as the stream keeps them: those that do not exist are always among them.
    var names: Set<String> {
        switch subscription {
        case .delta(let subscription): subscription.names
        case .stateOfTheWorld(let subscription): subscription.names
        }
    }

    var isWildcard: Bool {
        switch subscription {
        case .delta(let subscription): subscription.isWildcard
        case .stateOfTheWorld(let subscription): subscription.isWildcard
        }
    }

    /// Whether the client asked for a name that exists.
    func includes(_ name: String) -> Bool {
        switch subscription {
        case .delta(let subscription): subscription.includes(name)
        case .stateOfTheWorld(let subscription): subscription.includes(name)
        }
    }

    /// Whether the client asked for all that exists, and has nothing of its own: what it has is what its group has.
    var takesEverything: Bool {
        guard case .steps(let state, _, _) = progress else { return false }
        guard state.inFlight.isEmpty, state.rejected.isEmpty, state.owed.isEmpty, state.retries.isEmpty, !state.isFetching else {
            return false
        }
        guard case .delta(let subscription) = subscription else { return isWildcard && names.isEmpty }
        return subscription.names.isEmpty && (subscription.isWildcard || subscription.missing?.isEmpty == true)
    }

    /// Where the client was brought to, of each part of the type; a client that is sent whole states needs none.
    var positions: Set<Position> {
        guard case .steps(_, let updates, let removals) = progress else { return [] }
        return Set([updates, removals].compactMap(\.self))
    }
}
