/// What a client sent to open an RPC.
public struct RPCRequest: Sendable {
    /// The method, `/package.Service/Method`.
    public var path: String
    /// Request metadata in order of arrival, names in lower case, without pseudo-headers.
    public var metadata: [(name: String, value: String)]
    /// The client's address and port, for logs.
    public var peer: String
    /// Who the client has proven to be; nil when it was not asked.
    public var client: ClientIdentity?

    /// Makes a request.
    public init(path: String, metadata: [(name: String, value: String)], peer: String, client: ClientIdentity? = nil) {
        self.path = path
        self.metadata = metadata
        self.peer = peer
        self.client = client
    }
}

/// One outbound message in two pieces, so that many streams can share the second one's storage.
public struct OutboundMessage: Sendable {
    /// The bytes of this stream alone. They begin with the five-byte gRPC prefix, which counts both pieces.
    public let head: [UInt8]
    /// The bytes shared with other streams; never copied on the way to the socket.
    public let body: [UInt8]

    /// Frames a message that consists of `head` followed by `body`.
    public init(head: [UInt8], body: [UInt8]) {
        self.head = MessageFraming.framed(head, length: head.count + body.count)
        self.body = body
    }

    /// Bytes on the stream, prefix included.
    public var byteCount: Int { head.count + body.count }
}

/// The answering side of one RPC, handed to its receiver by the transport.
///
/// Every method must be called on the executor of the event loop that owns the connection, and traps elsewhere.
/// Calls after the RPC has ended are ignored.
public protocol RPCResponder: AnyObject, Sendable {
    /// The executor of the event loop that owns the connection; an actor that answers the RPC is pinned to it.
    var executor: any SerialExecutor { get }
    /// Bytes handed to `send` that the socket has not taken yet.
    var pendingByteCount: Int { get }
    /// Lets the client send no more than flow control allows it already, until it is called again with false: who is not known yet
    /// must not fill our memory.
    func holdInput(_ isHeld: Bool)
    /// Queues a message; the transport sends it as flow control permits. Response headers go out before the first one.
    func send(_ message: OutboundMessage)
    /// Ends the RPC with `status` once the queued messages are sent.
    func finish(_ status: Status)
}

/// The receiving side of one RPC: the transport calls it, in order and on the executor of the connection's event loop.
/// `RPCReceiver` implementations are actors pinned to that executor; they enter their isolation synchronously.
public protocol RPCReceiver: AnyObject, Sendable {
    /// A whole message, without its prefix.
    nonisolated func received(_ message: [UInt8])
    /// The client will send no more messages.
    nonisolated func receivedEnd()
    /// All bytes handed to `send` have left for the socket; called after a `send` that could not be written at once.
    nonisolated func drained()
    /// The server wants the RPC to end soon (shutdown, connection age): finish it after what is under way.
    nonisolated func shutdown()
    /// The RPC has ended, for whatever reason; the last call.
    nonisolated func closed()
}

/// Decides what answers an RPC.
public protocol RPCRouter: Sendable {
    /// The receiver of a new RPC, or the status to end it with at once. Called on the executor of the connection's event loop.
    func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute
}

/// What a router decided.
public enum RPCRoute: Sendable {
    case accept(any RPCReceiver)
    case reject(Status)
}
