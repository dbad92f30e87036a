/// What a connection may take of its loop's time before others have their turn, and how long it rests when it took more.
///
/// A turn is over by the clock on the wall, because others wait by it. Whether that was the connection's own doing is told by the
/// thread's processor time: on a machine that is busy with something else, a thread that did not run took nothing.
struct Turn {
    typealias Instant = ContinuousClock.Instant

    /// What a few bytes lead to may be much work: after this time others have their turn.
    static let length = Duration.milliseconds(2)
    /// How long a connection rests at least that has used its turn up …
    static let leastRest = Duration.milliseconds(20)
    /// … and how many times as long as it took, so that it never has more than a fifth of the loop's time.
    static let restFactor = 4

    private let end: Instant
    private let processorTimeAtBegin: Duration?

    /// Begins a turn.
    /// - Parameter processorTime: what the thread has used so far; nil for a connection that has never gone over, because a system call for
    ///   each turn of each connection would be a waste. Its first time is free.
    init(at now: Instant, processorTime: Duration?) {
        end = now + Self.length
        processorTimeAtBegin = processorTime
    }

    /// Whether others have their turn now.
    func isOver(at now: Instant) -> Bool { now >= end }

    /// How long the connection rests after a turn that was over; nil when it goes on as soon as the others have had theirs.
    func rest(processorTime: Duration) -> Duration? {
        guard let processorTimeAtBegin else { return nil }
        let taken = processorTime - processorTimeAtBegin
        return taken < Self.length ? nil : max(Self.leastRest, taken * Self.restFactor)
    }
}
