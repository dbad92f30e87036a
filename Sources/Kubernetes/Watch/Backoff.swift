/// How long to wait after failures: full jitter below a bound that doubles with each.
public struct Backoff: Sendable {
    /// The bounds.
    public struct Configuration: Sendable {
        /// The bound after the first failure.
        public var first: Duration = .milliseconds(800)
        /// The bound that doubling ends at.
        public var longest: Duration = .seconds(30)
        /// How long all must go well until failures are forgotten.
        public var healthy: Duration = .seconds(120)

        /// Makes the usual bounds: 0.8 s doubling to 30 s, forgotten after 2 min.
        public init() {}
    }

    private let configuration: Configuration
    private var bound: Duration

    /// Makes a backoff without failures.
    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        bound = configuration.first
    }

    /// Notes a failure and returns how long to wait.
    /// - Parameter draw: a random number from 0 up to 1.
    public mutating func failed(draw: Double) -> Duration {
        defer { bound = min(bound * 2, configuration.longest) }
        return bound * min(max(draw, 0), 1)
    }

    /// Notes that all went well for `duration`.
    public mutating func wentWell(for duration: Duration) {
        if duration >= configuration.healthy { bound = configuration.first }
    }
}
