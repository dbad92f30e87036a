import Synchronization

/// Keeps one line of code from filling the log: each may log so many lines at once, and so many a second over time.
///
/// The key is the place in the source, so that there are as many as there are places that log, whatever clients send. What is held back is
/// counted, and told with the next line of the same place.
public final class LogRate: Sendable {
    /// A place in the source.
    struct Place: Hashable {
        let file: String
        let line: UInt
    }

    private struct Allowance {
        var tokens: Double
        var filledAt: ContinuousClock.Instant
        var heldBack = 0
    }

    private let burst: Double
    private let perSecond: Double
    private let allowances = Mutex<[Place: Allowance]>([:])

    /// - Parameters:
    ///   - burst: lines at once.
    ///   - perSecond: lines a second, over time.
    public init(burst: Int = 200, perSecond: Int = 20) {
        self.burst = Double(burst)
        self.perSecond = Double(perSecond)
    }

    /// Whether a line of `place` may be written at `now`: nil when not, else how many of the place have been held back since the last.
    func take(_ place: Place, at now: ContinuousClock.Instant) -> Int? {
        allowances.withLock { allowances in
            var allowance = allowances[place] ?? Allowance(tokens: burst, filledAt: now)
            let elapsed = (now - allowance.filledAt) / .seconds(1)
            allowance.tokens = min(burst, allowance.tokens + max(0, elapsed) * perSecond)
            allowance.filledAt = now
            defer { allowances[place] = allowance }
            guard allowance.tokens >= 1 else {
                allowance.heldBack += 1
                return nil
            }
            allowance.tokens -= 1
            defer { allowance.heldBack = 0 }
            return allowance.heldBack
        }
    }
}
