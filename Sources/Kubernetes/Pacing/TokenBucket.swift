/// Bounds a rate: `burst` at once, then `rate` a second.
public struct TokenBucket: Sendable {
    private let rate: Double
    private let burst: Double
    private var tokens: Double
    private var filledAt: Duration

    /// Makes a full bucket.
    /// - Parameters:
    ///   - rate: tokens a second, above 0.
    ///   - burst: the most tokens it holds, at least 1.
    ///   - now: monotonic time, as in every call.
    public init(rate: Double, burst: Int, now: Duration = .zero) {
        self.rate = max(rate, 0.001)
        self.burst = Double(max(burst, 1))
        tokens = self.burst
        filledAt = now
    }

    /// Takes a token, if there is one.
    public mutating func take(now: Duration) -> Bool {
        fill(now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// When the next token is there; `now` if one is.
    public mutating func nextToken(now: Duration) -> Duration {
        fill(now)
        // A microsecond more, lest rounding leaves a hair less than one token.
        return tokens >= 1 ? now : now + .seconds((1 - tokens) / rate) + .microseconds(1)
    }

    private mutating func fill(_ now: Duration) {
        guard now > filledAt else { return }
        tokens = min(burst, tokens + (now - filledAt) / .seconds(1) * rate)
        filledAt = now
    }
}
