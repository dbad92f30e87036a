public import Domain

/// One VirtualService as this replica sees it, now.
public struct ServiceReport: Sendable, Hashable {
    /// Namespace and name.
    public var key: ObjectKey
    /// The incarnation.
    public var uid: String
    /// The generation of the spec that the rest speaks of.
    public var generation: Int64
    /// The version of the object that was read when something of the report last changed.
    public var resourceVersion: String
    /// Listeners of the object.
    public var listenerCount: Int
    /// Pods that the selector matches.
    public var matched: Int
    /// Envoys of these that are connected to this replica.
    public var connected: Int
    /// Of the connected, those that have acknowledged this generation.
    public var programmed: Int
    /// Of the connected, those that reject something of this object.
    public var rejected: Int
    /// An Envoy's own words, while it rejects something of this object.
    public var rejection: String?
    /// Which claim, which other object, who wins; told to both sides.
    public var conflicts: [String]
    /// Of the conflicts, those that this object loses.
    public var withheld: [String]
    /// Endpoint selectors that match no pod.
    public var unresolvedSelectors: [String]
    /// Why the spec is refused. Not empty: then counts are 0 and the other lists are empty.
    public var invalid: [Diagnostic]
    /// Whether the object is being deleted.
    public var isTerminating: Bool
    /// The finalizers, in the order of the object.
    public var finalizers: [String]
    /// Whether every Envoy connected to this replica has acknowledged that the configuration is gone.
    public var withdrawn: Bool

    /// Makes a report; by default of a valid object that shares nothing and is not being deleted.
    /// - Parameter rejected: by default one, if there is a `rejection`.
    public init(
        key: ObjectKey, uid: String, generation: Int64, resourceVersion: String, listenerCount: Int, matched: Int,
        connected: Int, programmed: Int, rejected: Int? = nil, rejection: String? = nil, conflicts: [String] = [],
        withheld: [String] = [], unresolvedSelectors: [String] = [], invalid: [Diagnostic] = [], isTerminating: Bool = false,
        finalizers: [String] = [], withdrawn: Bool = false
    ) {
        self.key = key
        self.uid = uid
        self.generation = generation
        self.resourceVersion = resourceVersion
        self.listenerCount = listenerCount
        self.matched = matched
        self.connected = connected
        self.programmed = programmed
        self.rejected = rejected ?? (rejection == nil ? 0 : 1)
        self.rejection = rejection
        self.conflicts = conflicts
        self.withheld = withheld
        self.unresolvedSelectors = unresolvedSelectors
        self.invalid = invalid
        self.isTerminating = isTerminating
        self.finalizers = finalizers
        self.withdrawn = withdrawn
    }
}

/// Reports of all VirtualServices: a bell, and the latest to pull, coalesced by object.
public protocol ServiceReports: Sendable {
    /// Rings when there is something to take. One consumer; one ring is held for it.
    func changes() -> AsyncStream<Void>
    /// The reports that changed since the last call.
    func take() async -> [ServiceReport]
    /// The objects that have gone since the last call. To be asked before `take`: an object may be there again.
    func takeRemoved() async -> [ObjectKey]
}
