import GRPC
import HTTP2

/// What a connection knows of one RPC: found once by the stream's number, and held by who answers. It never leaves the connection's
/// isolation.
final class StreamRecord {
    let outbound: OutboundStream
    var machine: ServerStreamStateMachine
    var receiver: (any RPCReceiver)?
    /// Whether the RPC is over, and the connection knows nothing of it any more.
    private(set) var hasEnded = false

    init(_ outbound: OutboundStream, _ machine: ServerStreamStateMachine) {
        self.outbound = outbound
        self.machine = machine
    }

    /// Ends the circle of record, receiver and responder; returns whom to tell.
    func end() -> (any RPCReceiver)? {
        hasEnded = true
        defer { receiver = nil }
        return receiver
    }
}
