/// The event loops of a process.
public struct EventLoopGroup: Sendable {
    /// The loops; at least one.
    public let loops: [EventLoop]

    /// Starts `count` loops (at least one).
    public init(count: Int) throws {
        loops = try (0..<max(1, count)).map { try EventLoop(name: "event-loop-\($0)") }
    }

    /// Tells, again and again while the loops live, how late a loop comes to a timer: how long whatever happens on it has to wait.
    /// - Parameter observe: called on the loops.
    public func watchLag(every interval: Duration = .seconds(1), _ observe: @escaping @Sendable (Duration) -> Void) {
        for loop in loops {
            loop.submit { [weak loop] in loop.map { Self.lookLater(at: $0, interval, observe) } }
        }
    }

    private static func lookLater(at loop: EventLoop, _ interval: Duration, _ observe: @escaping @Sendable (Duration) -> Void) {
        let due = ContinuousClock.now + interval
        loop.schedule(after: interval) { [weak loop] in
            observe(max(.zero, .now - due))
            loop.map { lookLater(at: $0, interval, observe) }
        }
    }
}
