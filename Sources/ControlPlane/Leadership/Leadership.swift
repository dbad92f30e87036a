import Synchronization

/// Whether this replica may write what only the leader writes. There is no fencing: ask right before each write.
public final class Leadership: Sendable {
    private let time: any TimeSource
    /// Nanoseconds of `time.now` until which it is held.
    private let deadline: Atomic<Int64>

    /// Held by nobody here, or, without an election, for good.
    public init(time: any TimeSource, isPermanent: Bool = false) {
        self.time = time
        deadline = Atomic(isPermanent ? .max : 0)
    }

    /// Whether this replica leads now: it ends by itself when renewals stay away.
    public var isHeld: Bool {
        let (seconds, attoseconds) = time.now.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000 < deadline.load(ordering: .acquiring)
    }

    func hold(until instant: Duration?) {
        let (seconds, attoseconds) = (instant ?? .zero).components
        deadline.store(seconds * 1_000_000_000 + attoseconds / 1_000_000_000, ordering: .releasing)
    }
}
