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
        guard count > 0 else { return true }
        if let refilledAt, now > refilledAt {
            tokens = min(burst, tokens + Self.seconds(now - refilledAt) * tokensPerSecond)
        }
        refilledAt = now
        guard tokens >= Double(count) else { return false }
        tokens -= Double(count)
        return true
    }

    /// A division of `Duration`s works on 128 bits and costs as much as all the rest.
    private static func seconds(_ duration: Duration) -> Double {
        Double(Int64(clamping: duration.attoseconds / 1_000_000_000)) / 1e9
    }
}
