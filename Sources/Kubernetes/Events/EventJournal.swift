import Domain

/// Decides which events are written, and how: the first as an object, repetitions as a series of it (KEP-383), both within a rate.
///
/// Repetitions are counted at once and written at intervals. A series ends when nothing has been added for a while; what
/// happens then is a new event. The memory is bounded: the oldest series are forgotten.
public struct EventJournal: Sendable {
    /// The most series remembered.
    public static let capacity = 4096
    /// Between two writes of one series.
    public static let refreshInterval = Duration.seconds(30)
    /// How long after its last repetition a series ends.
    public static let idleTime = Duration.seconds(360)

    private struct Series {
        var name: String
        var count: Int
        var writtenCount: Int
        var writtenAt: Duration
        var lastAt: Duration
        var lastMicroseconds: Int64
    }

    private let instance: String
    private var series: [ServiceEvent: Series] = [:]
    private var buckets: [ObjectKey: TokenBucket] = [:]
    private var bucket: TokenBucket
    private var sequence: UInt32 = 0
    /// Events that the rate did not allow.
    public private(set) var dropped = 0

    /// Makes an empty journal.
    /// - Parameter instance: the replica that reports.
    public init(instance: String, rate: Double = 5, burst: Int = 25) {
        self.instance = instance
        bucket = TokenBucket(rate: rate, burst: burst)
    }

    /// An event happened: what to write at once, if anything.
    /// - Parameter microseconds: now, since 1970.
    public mutating func record(_ event: ServiceEvent, now: Duration, microseconds: Int64) -> APIRequest? {
        if var known = series[event], now - known.lastAt < EventJournal.idleTime {
            known.count += 1
            known.lastAt = now
            known.lastMicroseconds = microseconds
            series[event] = known
            return now - known.writtenAt >= EventJournal.refreshInterval ? refresh(event, now) : nil
        }
        guard take(event.key, now) else {
            dropped += 1
            return nil
        }
        if series.count >= EventJournal.capacity { forget(now) }
        sequence &+= 1
        let name = EventRequests.name(of: event, microseconds: microseconds, sequence: sequence)
        series[event] = Series(
            name: name, count: 1, writtenCount: 1, writtenAt: now, lastAt: now, lastMicroseconds: microseconds)
        return EventRequests.create(event, name: name, microseconds: microseconds, instance: instance)
    }

    /// Series whose repetitions are due to be written.
    public mutating func due(now: Duration) -> [APIRequest] {
        series.filter { $0.value.count > $0.value.writtenCount && now - $0.value.writtenAt >= EventJournal.refreshInterval }
            .sorted { $0.value.name < $1.value.name }.compactMap { refresh($0.key, now) }
    }

    /// When `due` is worth asking next; nil when nothing waits.
    public var nextDue: Duration? {
        series.values.filter { $0.count > $0.writtenCount }.map { $0.writtenAt + EventJournal.refreshInterval }.min()
    }

    /// The event of that name is not there (any more): its next repetition is a new one.
    public mutating func lost(name: String) { series = series.filter { $0.value.name != name } }

    private mutating func refresh(_ event: ServiceEvent, _ now: Duration) -> APIRequest? {
        guard var known = series[event] else { return nil }
        // Even when the rate forbids it: tried again an interval later.
        known.writtenAt = now
        defer { series[event] = known }
        guard take(event.key, now) else { return nil }
        known.writtenCount = known.count
        return EventRequests.repeated(
            event, name: known.name, count: known.count, microseconds: known.lastMicroseconds)
    }

    /// One object may not use up what all share: 5 at once, then one in 30 s.
    private mutating func take(_ key: ObjectKey, _ now: Duration) -> Bool {
        if buckets.count >= EventJournal.capacity { buckets = [:] }
        guard buckets[key, default: TokenBucket(rate: 1.0 / 30, burst: 5, now: now)].take(now: now) else { return false }
        return bucket.take(now: now)
    }

    /// Drops what has ended, and the older half if that is not enough.
    private mutating func forget(_ now: Duration) {
        series = series.filter { now - $0.value.lastAt < EventJournal.idleTime }
        guard series.count >= EventJournal.capacity else { return }
        let kept = series.sorted { $0.value.lastAt > $1.value.lastAt }.prefix(EventJournal.capacity / 2)
        series = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
