/// Delays between attempts that fail: doubling, with full jitter, until one succeeds.
public struct RetryDelay: Sendable {
    private let first: Duration
    private let longest: Duration
    private var failures = 0

    /// Makes one that has seen no failure.
    public init(first: Duration = .milliseconds(800), longest: Duration = .seconds(30)) {
        self.first = first
        self.longest = longest
    }

    /// An attempt succeeded.
    public mutating func succeed() { failures = 0 }

    /// An attempt failed: how long to wait before the next.
    /// - Parameter random: from 0 to 1.
    public mutating func fail(random: Double) -> Duration {
        let ceiling = min(longest, first * (1 << min(failures, 20)))
        failures = min(failures + 1, 20)
        // Never below a tenth of the ceiling: a random number near 0 must not become a busy loop.
        return ceiling * (0.1 + 0.9 * min(max(random, 0), 1))
    }
}
