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

    /// Wakes the consumer, now or when it is next idle. Callable from anywhere.
    func ring() { continuation.yield() }
}
