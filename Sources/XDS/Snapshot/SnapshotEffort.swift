/// How much work snapshots have been; for tests and metrics. It grows with what changes, never with what there is.
public struct SnapshotEffort: Sendable, Hashable {
    /// Responses put together to be shared.
    public var framedResponses = 0
    /// Resources and removals in these.
    public var framedResources = 0
    /// Listeners that came into service, or went out of it.
    public var decidedListeners = 0
    /// Resources compared with what a client brought from an earlier stream.
    public var comparedResources = 0

    /// Makes an account; of no work, by default.
    public init(framedResponses: Int = 0, framedResources: Int = 0, decidedListeners: Int = 0, comparedResources: Int = 0) {
        self.framedResponses = framedResponses
        self.framedResources = framedResources
        self.decidedListeners = decidedListeners
        self.comparedResources = comparedResources
    }

    /// The work of both.
    public static func + (left: SnapshotEffort, right: SnapshotEffort) -> SnapshotEffort {
        var sum = left
        sum.framedResponses += right.framedResponses
        sum.framedResources += right.framedResources
        sum.decidedListeners += right.decidedListeners
        sum.comparedResources += right.comparedResources
        return sum
    }
}
