/// The clock and the chance of a watch, so that tests can make both.
public protocol WatchTime: Sendable {
    /// Now.
    var now: ContinuousClock.Instant { get }
    /// A random number from 0 up to 1.
    func draw() -> Double
    /// Waits; throws `CancellationError` when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The system's.
public struct SystemWatchTime: WatchTime {
    /// Makes the system's clock and chance.
    public init() {}

    public var now: ContinuousClock.Instant { .now }

    public func draw() -> Double { Double.random(in: 0..<1) }

    public func sleep(for duration: Duration) async throws { try await ContinuousClock().sleep(for: duration) }
}
