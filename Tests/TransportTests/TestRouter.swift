import GRPC

/// The RPCs of the tests:
/// - `/test/Echo` answers each message with itself, and the end with OK;
/// - `/test/Flood` answers the first message with 200 messages of 100 KB that share storage, as fast as they are taken;
/// - `/test/Stubborn` is Echo that takes no notice of a shutdown;
/// - `/test/Who` ends at once and says in its status who the client has proven to be.
struct TestRouter: RPCRouter {
    /// What happened on the receiving side, in order.
    let events: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() {
        // A test reads what it waits for; a test that produced more than these has failed anyway.
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(10_000))
    }

    func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        if request.path == "/test/Who" {
            let names = request.client.map { ($0.uris + $0.dnsNames).joined(separator: " ") }
            return .reject(Status(.aborted, names.map { "[\($0)]" } ?? "unknown"))
        }
        guard ["/test/Echo", "/test/Flood", "/test/Stubborn"].contains(request.path) else {
            return .reject(Status(.unimplemented, "no method \(request.path)"))
        }
        return .accept(TestReceiver(request.path, responder, continuation))
    }
}

/// A receiver as the layer above writes it: an actor pinned to the loop of its connection.
actor TestReceiver: RPCReceiver {
    static let floodMessage = OutboundMessage(head: [7], body: [UInt8](repeating: 1, count: 100_000))
    static let floodCount = 200
    static let floodLimit = 1_000_000

    private let path: String
    private let responder: any RPCResponder
    private let events: AsyncStream<String>.Continuation
    private var floodLeft = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(_ path: String, _ responder: any RPCResponder, _ events: AsyncStream<String>.Continuation) {
        self.path = path
        self.responder = responder
        self.events = events
    }

    nonisolated func received(_ message: [UInt8]) {
        assumeIsolated { $0.handle(message) }
    }

    nonisolated func receivedEnd() {
        assumeIsolated { $0.responder.finish(.ok) }
    }

    nonisolated func drained() {
        assumeIsolated { $0.flood() }
    }

    nonisolated func shutdown() {
        assumeIsolated {
            $0.events.yield("shutdown")
            if $0.path != "/test/Stubborn" { $0.responder.finish(Status(.unavailable, "shutting down")) }
        }
    }

    nonisolated func closed() {
        assumeIsolated {
            _ = $0.events.yield("closed")
            // After the end these are ignored.
            $0.responder.send(OutboundMessage(head: [], body: []))
            $0.responder.finish(.ok)
        }
    }

    private func handle(_ message: [UInt8]) {
        if path == "/test/Flood" {
            floodLeft = Self.floodCount
            flood()
        } else {
            responder.send(OutboundMessage(head: Array(message.prefix(2)), body: Array(message.dropFirst(2))))
        }
    }

    /// Sends as long as the client takes it.
    private func flood() {
        while floodLeft > 0 && responder.pendingByteCount < Self.floodLimit {
            floodLeft -= 1
            responder.send(Self.floodMessage)
        }
        if path == "/test/Flood" { events.yield("left \(floodLeft)") }
    }
}
