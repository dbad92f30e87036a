/// The event loops of a process.
public struct EventLoopGroup: Sendable {
    /// The loops; at least one.
    public let loops: [EventLoop]

    /// Starts `count` loops (at least one).
    public init(count: Int) throws {
        loops = try (0..<max(1, count)).map { try EventLoop(name: "event-loop-\($0)") }
    }
}
