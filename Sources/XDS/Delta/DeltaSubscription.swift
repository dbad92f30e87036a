/// What a delta client has subscribed to, of one type.
///
/// A client that wants all there is costs no memory in proportion to it. For listeners and clusters that is the wildcard. Envoy asks for
/// endpoints by name, for each of its clusters: once the names are (nearly) those of the snapshot, the list is replaced by "all of
/// them but these", and kept up as names come and go.
struct DeltaSubscription {
    /// Subscribed to everything, now and later (xDS protocol, "Wildcard subscriptions").
    private(set) var isWildcard = false
    /// The names subscribed to; once `missing` is kept, only those that the snapshot lacks.
    private(set) var names: Set<String> = []
    /// The names in the snapshot, as of the stream's position, that are not subscribed to; nil while `names` is the whole list.
    private(set) var missing: Set<String>?
    /// Names that are gone from the snapshot, which the client has not been told.
    private(set) var untold: Set<String> = []

    /// The whole list, while it is kept.
    var list: Set<String>? { missing == nil && !isWildcard ? names : nil }

    /// Whether a name that is in the snapshot, as of the stream's position, is subscribed to.
    func includes(_ name: String) -> Bool {
        if isWildcard || names.contains(name) { return true }
        guard let missing else { return false }
        return !missing.contains(name)
    }

    mutating func subscribeToAll() { isWildcard = true }

    mutating func unsubscribeFromAll() { isWildcard = false }

    mutating func subscribe(_ name: String) {
        if missing == nil { names.insert(name) } else { missing?.discard(name) }
        untold.discard(name)
    }

    mutating func unsubscribe(_ name: String) {
        untold.discard(name)
        if names.discard(name) == nil { missing?.insert(name) }
    }

    /// The snapshot was found to lack a name that the client asked for.
    mutating func found(_ name: String, exists: Bool) {
        guard missing != nil else { return }
        if exists { missing?.discard(name) } else { names.insert(name) }
    }

    /// Replaces the list of names by what the snapshot says of it.
    mutating func collapse(_ coverage: SubscriptionCoverage) {
        guard missing == nil, !isWildcard else { return }
        names.formIntersection(coverage.unknown)
        missing = coverage.missing
    }

    /// Takes in a step of the snapshot's endpoints, which a client asks for by name.
    mutating func advance(_ step: Step) {
        for name in step.removed where missing?.discard(name) == nil && includes(name) {
            if missing != nil { names.insert(name) }
            untold.insert(name)
        }
        for resource in step.added {
            untold.discard(resource.name)
            if missing != nil, names.discard(resource.name) == nil { missing?.insert(resource.name) }
        }
    }

    /// The names to be told as removed with the next response.
    mutating func takeUntold() -> [String] {
        guard !untold.isEmpty else { return [] }
        defer { untold = [] }
        return untold.sorted()
    }
}

extension Set<String> {
    /// `remove`, but a name is not even hashed to be found in nothing: nearly always these sets are empty.
    @discardableResult
    mutating func discard(_ name: String) -> String? { isEmpty ? nil : remove(name) }
}
