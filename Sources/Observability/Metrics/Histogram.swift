import Synchronization

/// Counts durations in buckets; written and read from anywhere, without a lock.
public final class Histogram: Sendable {
    /// The upper bounds of the buckets but the last, ascending.
    public let bounds: [Duration]
    private let boundNanoseconds: [Int]
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
        boundNanoseconds = self.bounds.map(Self.nanoseconds)
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    /// Counts `duration` `times` times.
    public func observe(_ duration: Duration, times: Int = 1) {
        let length = Self.nanoseconds(duration)
        let index = boundNanoseconds.firstIndex { length <= $0 } ?? bounds.count
        buckets[index].count.add(times, ordering: .relaxed)
        let (total, overflow) = length.multipliedReportingOverflow(by: times)
        if !overflow { nanoseconds.add(total, ordering: .relaxed) }
    }

    private static func nanoseconds(_ duration: Duration) -> Int { Int(clamping: duration.attoseconds / 1_000_000_000) }

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
