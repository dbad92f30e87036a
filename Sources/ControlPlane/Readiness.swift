import Synchronization

/// Whether the first complete state has been published: what the readiness probe asks.
public final class Readiness: Sendable {
    private let isMarked = Atomic(false)

    /// Makes one that is not ready.
    public init() {}

    /// Whether `markReady` has been called.
    public var isReady: Bool { isMarked.load(ordering: .acquiring) }

    func markReady() { isMarked.store(true, ordering: .releasing) }
}
