/// How long something may take of all time: a share in the long run, and some more at once. The clock is a parameter.
struct TimeShare {
    typealias Instant = ContinuousClock.Instant

    private let share: Double
    private let burst: Duration
    /// What may be taken at once; below zero after it has been exceeded.
    private var credit: Duration
    private var refilledAt: Instant

    /// - Parameters:
    ///   - share: of all time, above 0 and up to 1.
    ///   - burst: what may be taken at once after nothing was for long enough.
    init(_ share: Double, burst: Duration, at now: Instant) {
        self.share = share
        self.burst = burst
        credit = burst
        refilledAt = now
    }

    /// So much was taken. Returns how long nothing may be now; nil when there is credit left.
    mutating func took(_ duration: Duration, at now: Instant) -> Duration? {
        credit = min(burst, credit + max(.zero, now - refilledAt) * share) - duration
        refilledAt = now
        return credit > .zero ? nil : .zero - credit / share
    }
}
