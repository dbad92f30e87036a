import ServiceLifecycle

/// Wakes one consumer that then pulls the latest state.
///
/// The stream holds one ring: rings that come while the consumer is busy say nothing that it will not see when it pulls.
public struct Bell: Sendable {
    /// The rings; for one consumer.
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// Makes a bell that has not rung.
    public init() {
        // One slot: a ring means "look", and looking once is enough however often it rang.
        (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Calls `body` for each ring, on the caller's actor, until the task is cancelled or the service is to shut down.
    ///
    /// Not by `cancelOnGracefulShutdown()`, which hands each ring from task to task, over other threads: there are several bells on the way
    /// from an object to its Envoys.
    func answer(isolation: isolated (any Actor)? = #isolation, _ body: () async -> Void) async {
        await withGracefulShutdownHandler {
            for await _ in rings { await body() }
        } onGracefulShutdown: { [continuation] in
            continuation.finish()
        }
    }

    /// Wakes the consumer, now or when it is next idle. Callable from anywhere.
    func ring() { continuation.yield() }
}
