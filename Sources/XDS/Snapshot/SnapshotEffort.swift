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

    static func + (left: SnapshotEffort, right: SnapshotEffort) -> SnapshotEffort {
        SnapshotEffort(
            framedResponses: left.framedResponses + right.framedResponses,
            framedResources: left.framedResources + right.framedResources,
            decidedListeners: left.decidedListeners + right.decidedListeners,
            comparedResources: left.comparedResources + right.comparedResources)
    }
}
