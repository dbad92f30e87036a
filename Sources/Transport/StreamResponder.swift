import GRPC
import HTTP2

/// The answering side of one stream of a connection.
final class StreamResponder: RPCResponder {
    private let connection: Connection
    /// Safe: touched inside the connection's isolation only, which `onLoop` checks.
    private nonisolated(unsafe) let record: StreamRecord

    init(connection: Connection, record: StreamRecord) {
        self.connection = connection
        self.record = record
    }

    var executor: any SerialExecutor { connection.loop }

    var pendingByteCount: Int {
        connection.onLoop(record) { $1.outbound.isClosed ? 0 : $1.outbound.pendingByteCount }
    }

    func holdInput(_ isHeld: Bool) {
        connection.onLoop((isHeld, record)) { $0.holdInput($1.0, on: $1.1.outbound.id) }
    }

    func send(_ message: OutboundMessage) {
        connection.onLoop((message, record)) { $0.send($1.0, on: $1.1) }
    }

    func finish(_ status: Status) {
        connection.onLoop((status, record)) { $0.finish($1.0, on: $1.1.outbound.id) }
    }
}
