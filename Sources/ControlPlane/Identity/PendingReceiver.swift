import GRPC
import Transport

/// Receives an RPC until it is known who answers it, and then hands over what has come.
///
/// It is pinned to the loop of its connection.
actor PendingReceiver: RPCReceiver {
    /// Bytes kept meanwhile, 64 for each message included. What flow control lets in is less, unless it comes in tiny messages; a larger
    /// first request arrives once the client is known.
    private static let limit = 512 * 1024

    /// Exits of `waiting`: `answered`, `ended`. Of `answered`: `ended`.
    private enum State {
        case waiting
        case answered(by: any RPCReceiver)
        case ended
    }

    private nonisolated let responder: any RPCResponder
    private var state = State.waiting
    private var messages: [[UInt8]] = []
    private var byteCount = 0
    private var hasEndOfStream = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(_ responder: any RPCResponder) {
        self.responder = responder
        responder.holdInput(true)
    }

    nonisolated func received(_ message: [UInt8]) { assumeIsolated { $0.take(message) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.takeEnd() } }
    nonisolated func drained() { assumeIsolated { $0.receiver?.drained() } }
    nonisolated func shutdown() { assumeIsolated { $0.takeShutdown() } }
    nonisolated func closed() { assumeIsolated { $0.end() } }

    /// It is known who answers.
    func resolve(_ route: RPCRoute) {
        guard case .waiting = state else {
            // The client has gone; whoever was to answer it must learn that, too.
            if case .accept(let receiver) = route { receiver.closed() }
            return
        }
        let waiting = messages
        messages = []
        switch route {
        case .reject(let status):
            state = .ended
            responder.finish(status)
        case .accept(let receiver):
            state = .answered(by: receiver)
            responder.holdInput(false)
            for message in waiting { receiver.received(message) }
            if hasEndOfStream { receiver.receivedEnd() }
        }
    }

    private var receiver: (any RPCReceiver)? {
        if case .answered(let receiver) = state { receiver } else { nil }
    }

    private func take(_ message: [UInt8]) {
        switch state {
        case .ended: break
        case .answered(let receiver): receiver.received(message)
        case .waiting:
            byteCount += message.count + 64
            guard byteCount <= Self.limit else {
                messages = []
                state = .ended
                return responder.finish(Status(.resourceExhausted, "too much was sent before it was known who asks"))
            }
            messages.append(message)
        }
    }

    private func takeEnd() {
        hasEndOfStream = true
        receiver?.receivedEnd()
    }

    private func takeShutdown() {
        if let receiver { return receiver.shutdown() }
        guard case .waiting = state else { return }
        state = .ended
        messages = []
        responder.finish(Status(.unavailable, "the server ends this stream; reconnect"))
    }

    private func end() {
        let receiver = receiver
        state = .ended
        messages = []
        receiver?.closed()
    }
}
