import GRPC
import HTTP2

/// The answering side of one stream of a connection.
final class StreamResponder: RPCResponder {
    private let connection: Connection
    /// Safe: touched inside the connection's isolation only, which `assumeIsolated` checks.
    private nonisolated(unsafe) let record: StreamRecord

    init(connection: Connection, record: StreamRecord) {
        self.connection = connection
        self.record = record
    }

    var executor: any SerialExecutor { connection.loop }

    var pendingByteCount: Int {
        connection.assumeIsolated { _ in record.outbound.isClosed ? 0 : record.outbound.pendingByteCount }
    }

    func holdInput(_ isHeld: Bool) {
        connection.assumeIsolated { $0.holdInput(isHeld, on: record.outbound.id) }
    }

    func send(_ message: OutboundMessage) {
        connection.assumeIsolated { $0.send(message, on: record) }
    }

    func finish(_ status: Status) {
        connection.assumeIsolated { $0.finish(status, on: record.outbound.id) }
    }
}
