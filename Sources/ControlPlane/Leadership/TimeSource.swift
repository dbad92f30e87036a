import FoundationEssentials

/// The clocks and the chance that services need, so that a test can be their master.
public protocol TimeSource: Sendable {
    /// Monotonic time since some moment.
    var now: Duration { get }
    /// Microseconds since 1970.
    var microseconds: Int64 { get }
    /// From 0 to 1.
    var random: Double { get }
    /// Returns at `instant` of the monotonic time; throws when cancelled.
    func sleep(until instant: Duration) async throws
}

extension TimeSource {
    /// Seconds since 1970.
    var seconds: Int64 { microseconds / 1_000_000 }
}

/// The system's clocks.
public struct SystemTime: TimeSource {
    private let origin = ContinuousClock.now

    /// Begins at zero.
    public init() {}

    public var now: Duration { origin.duration(to: .now) }
    public var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
    public var random: Double { .random(in: 0...1) }
    public func sleep(until instant: Duration) async throws {
        try await ContinuousClock().sleep(until: origin.advanced(by: instant))
    }
}
