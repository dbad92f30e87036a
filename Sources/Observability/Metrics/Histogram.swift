import Synchronization

/// Counts durations in buckets; written and read from anywhere, without a lock.
public final class Histogram: Sendable {
    /// The upper bounds of the buckets but the last, ascending.
    public let bounds: [Duration]
    private let buckets: [Bucket]
    private let nanoseconds = Atomic<Int>(0)

    private final class Bucket: Sendable {
        let count = Atomic<Int>(0)
    }

    /// What has been counted.
    public struct Snapshot: Sendable {
        /// For each bound, how many durations were no longer than it.
        public let cumulative: [(bound: Duration, count: Int)]
        /// How many durations there were.
        public let count: Int
        /// Their sum.
        public let sum: Duration
    }

    /// From half a millisecond, a change on an idle machine, to 16 s, when something is wrong.
    public static let latencyBounds: [Duration] = (0..<16).map { .microseconds(500 << $0) }

    /// Makes a histogram with nothing counted.
    public init(bounds: [Duration] = Histogram.latencyBounds) {
        self.bounds = bounds.sorted()
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    /// Counts `duration` `times` times.
    public func observe(_ duration: Duration, times: Int = 1) {
        let index = bounds.firstIndex { duration <= $0 } ?? bounds.count
        buckets[index].count.add(times, ordering: .relaxed)
        let parts = duration.components
        let (seconds, overflow) = Int(parts.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return }
        let (total, tooMany) = (seconds &+ Int(parts.attoseconds / 1_000_000_000)).multipliedReportingOverflow(by: times)
        if !tooMany { nanoseconds.add(total, ordering: .relaxed) }
    }

    /// What has been counted so far. Counts that come in meanwhile may be in it or not.
    public var snapshot: Snapshot {
        var total = 0
        var cumulative: [(Duration, Int)] = []
        for (bound, bucket) in zip(bounds, buckets) {
            total += bucket.count.load(ordering: .relaxed)
            cumulative.append((bound, total))
        }
        total += buckets[bounds.count].count.load(ordering: .relaxed)
        return Snapshot(cumulative: cumulative, count: total, sum: .nanoseconds(nanoseconds.load(ordering: .relaxed)))
    }
}
