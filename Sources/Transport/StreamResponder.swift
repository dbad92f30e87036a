import GRPC

/// The answering side of one stream of a connection.
final class StreamResponder: RPCResponder {
    private let connection: Connection
    private let streamID: Int32

    init(connection: Connection, streamID: Int32) {
        self.connection = connection
        self.streamID = streamID
    }

    var executor: any SerialExecutor { connection.loop }

    var pendingByteCount: Int {
        connection.assumeIsolated { $0.pendingByteCount(of: streamID) }
    }

    func holdInput(_ isHeld: Bool) {
        connection.assumeIsolated { $0.holdInput(isHeld, on: streamID) }
    }

    func send(_ message: OutboundMessage) {
        connection.assumeIsolated { $0.send(message, on: streamID) }
    }

    func finish(_ status: Status) {
        connection.assumeIsolated { $0.finish(status, on: streamID) }
    }
}
