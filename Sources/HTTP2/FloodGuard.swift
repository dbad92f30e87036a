/// A token bucket: a burst at once, then a steady rate. The clock is a parameter.
package struct FloodGuard {
    private let burst: Double
    private let tokensPerSecond: Double
    private var tokens: Double
    private var refilledAt: ContinuousClock.Instant?

    package init(burst: Int, perSecond: Int) {
        self.burst = Double(burst)
        tokensPerSecond = Double(perSecond)
        tokens = Double(burst)
    }

    /// Takes `count` tokens; false when there are not enough.
    package mutating func admit(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
        if let refilledAt, now > refilledAt {
            tokens = min(burst, tokens + (now - refilledAt) / .seconds(1) * tokensPerSecond)
        }
        refilledAt = now
        guard tokens >= Double(count) else { return false }
        tokens -= Double(count)
        return true
    }
}
