/// What a stream asks of its group's snapshot, for one type.
public struct Fetch: Sendable, Hashable {
    /// The type.
    public let type: ResourceType
    /// The parts to bring up to date, and where the stream stands in each; nil for a stream that has nothing.
    var steps: [Part: Position?] = [:]
    /// Names that the client must be told about, whether there is such a resource or not.
    var names: Set<String> = []
    /// Whether the names are those of a rejected response, which nobody asked for just now.
    var isRetry = false
    /// Whether the names may be answered by a `bundle`.
    var takesBundle = false
    /// Names whose resources are sent once more, where there are any.
    var refreshed: Set<String> = []
    /// Names that the client may have, to be told of those that do not exist.
    var checked: Set<String> = []
    /// Every name that the client asked for, while the stream still keeps a list of them.
    var subscription: Set<String>?
    /// What the client says it already has: what agrees is not sent.
    var held: HeldResources?

    /// Set when everything of the type is asked for at once.
    var world: WorldFetch?

    init(_ type: ResourceType) { self.type = type }

    var isEmpty: Bool { steps.isEmpty && names.isEmpty && refreshed.isEmpty }
}

/// How a list of names compares with the names that there are.
struct SubscriptionCoverage: Sendable {
    /// Names that there are, which the list lacks.
    let missing: Set<String>
    /// Names of the list that there are not.
    let unknown: Set<String>
}

/// The answer to a fetch, as of one moment.
public struct FetchResult: Sendable {
    /// What was asked.
    let fetch: Fetch
    /// Where the stream stands once it has been sent the answer.
    let position: Position
    /// The version of the type's whole table.
    var version = Digest.zero
    /// The steps asked for.
    var steps: [Part: Step] = [:]
    /// The resources named, nil for those that do not exist.
    var named: [String: EncodedResource?] = [:]
    /// The names checked that do not exist.
    var absent: Set<String> = []
    /// Set when the subscription covers (nearly) all of the group's names.
    var coverage: SubscriptionCoverage?
    /// The names asked for are all that there are, and this says them all at once.
    var everything: Step?
    /// All the names asked for, each of which exists: then `named` is empty. Made once for all who ask for just these, as all Envoys of a
    /// group do when new clusters have come.
    var bundle: Step?
    /// Everything of the type, when that was asked for.
    var world: WorldResult?
    /// What the client already has is just what there is.
    var isHeld = false
    /// The stream stands so far back that the way from there is forgotten.
    var isOutdated = false

    var type: ResourceType { fetch.type }

    init(_ fetch: Fetch, position: Position) {
        self.fetch = fetch
        self.position = position
    }
}

/// A group's snapshot has moved on: the steps for streams that stood at `from`.
public struct GroupUpdate: Sendable {
    /// Where streams in step stood; nil when the way from there is forgotten, and every stream has to fetch.
    public let from: Position?
    /// Where they stand after the steps.
    public let to: Position
    /// The parts that changed.
    let steps: PartTable<Step>
    /// When the first of the changes was heard of; nil when that is not known.
    public var since: ContinuousClock.Instant?

    init(from: Position?, to: Position, steps: PartTable<Step> = PartTable()) {
        self.from = from
        self.to = to
        self.steps = steps
    }
}
