import GRPC
import Synchronization
import Transport

/// The answering side of an RPC whose client reads nothing.
///
/// Sendable because its state is touched on the loop alone.
final class IdleResponder: RPCResponder, @unchecked Sendable {
    private let loop: EventLoop
    /// Opens with the first message.
    let first = Gate()
    /// Messages handed over.
    private(set) var sent = 0
    private(set) var pendingByteCount = 0
    /// The status that ended the RPC.
    private(set) var status: Status?

    init(_ loop: EventLoop) { self.loop = loop }

    var executor: any SerialExecutor { loop }

    func holdInput(_ isHeld: Bool) {}

    func send(_ message: OutboundMessage) {
        sent += 1
        pendingByteCount += message.byteCount
        first.open()
    }

    func finish(_ status: Status) { self.status = status }
}

/// Something that happens once, and can be awaited.
struct Gate: Sendable {
    private let signal: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        // One slot: it opens once.
        (signal, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func open() { continuation.finish() }

    func wait() async { for await _ in signal {} }
}

extension EventLoop {
    /// Runs `body` on the loop and returns what it returns.
    func perform<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in submit { continuation.resume(returning: body()) } }
    }
}
