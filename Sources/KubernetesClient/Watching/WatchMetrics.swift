import Glibc
import Synchronization

/// Counts what the watches of one kind of object do; readable from anywhere.
public final class WatchMetrics: Sendable {
    /// The kind, by the plural that the API names it with.
    public let resource: String

    private let listCounter = Atomic<Int>(0)
    private let startCounter = Atomic<Int>(0)
    private let endCounter = Atomic<Int>(0)
    private let relistCounter = Atomic<Int>(0)
    private let errorCounts = Mutex<[WatchError: Int]>([:])
    private let byteCounter = Atomic<Int>(0)
    private let eventCounter = Atomic<Int>(0)
    private let invalidCounter = Atomic<Int>(0)
    private let lastEvent = Atomic<Int>(0)

    /// Makes counters at zero.
    public init(resource: String) { self.resource = resource }

    /// Lists completed, streaming lists included.
    public var lists: Int { listCounter.load(ordering: .relaxed) }
    /// Watches that the server accepted.
    public var watchStarts: Int { startCounter.load(ordering: .relaxed) }
    /// Watches that ended, for whatever reason.
    public var watchEnds: Int { endCounter.load(ordering: .relaxed) }
    /// Lists made again because a watch could not go on.
    public var relists: Int { relistCounter.load(ordering: .relaxed) }
    /// Requests and watches that failed.
    public var errors: Int { errorCounts.withLock { $0.values.reduce(0, +) } }
    /// Requests and watches that failed in this way.
    public func errors(_ error: WatchError) -> Int { errorCounts.withLock { $0[error] ?? 0 } }
    /// Bytes of bodies received.
    public var bytes: Int { byteCounter.load(ordering: .relaxed) }
    /// Events received by watches, bookmarks included.
    public var events: Int { eventCounter.load(ordering: .relaxed) }
    /// When a watch last heard anything, in seconds since 1970; 0 before it has.
    public var lastEventSeconds: Int { lastEvent.load(ordering: .relaxed) }
    /// Objects received that could not be read or served.
    public var invalidObjects: Int { invalidCounter.load(ordering: .relaxed) }

    func listed() { listCounter.add(1, ordering: .relaxed) }
    func watchStarted() { startCounter.add(1, ordering: .relaxed) }
    func watchEnded() { endCounter.add(1, ordering: .relaxed) }
    func relisted(_ count: Int) { relistCounter.add(count, ordering: .relaxed) }
    func failed(_ error: WatchError, count: Int = 1) {
        if count > 0 { errorCounts.withLock { $0[error, default: 0] += count } }
    }
    func received(bytes: Int) { byteCounter.add(bytes, ordering: .relaxed) }
    func receivedEvent() {
        eventCounter.add(1, ordering: .relaxed)
        lastEvent.store(time(nil), ordering: .relaxed)
    }
    func receivedInvalidObject() { invalidCounter.add(1, ordering: .relaxed) }
}
