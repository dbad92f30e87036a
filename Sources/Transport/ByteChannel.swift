import GRPC
import HTTP2

/// Where a connection's bytes go: the seam between HTTP/2 and what carries it.
///
/// A channel owns its descriptor, never blocks, and belongs to one connection. The connection waits for the descriptor; a
/// channel that needs the other direction first (TLS may want to write in order to read) says so.
protocol ByteChannel: AnyObject {
    /// The descriptor to wait for.
    var descriptor: CInt { get }
    /// Whether input may be waiting inside the channel, of which the descriptor knows nothing.
    var holdsInput: Bool { get }
    /// Who the client has proven to be in the handshake; nil where it was not asked.
    var client: ClientIdentity? { get }
    /// Whether something precedes the first byte that costs time: `handshake` is called in the loop's turns for that, once the descriptor is ready.
    var shakesHands: Bool { get }
    /// Goes on with whatever precedes the first byte; `.transferred(0)` when it is done.
    func handshake() -> ChannelOutcome
    /// Reads what has arrived.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> ChannelOutcome
    /// Writes from the front of the queue, which it leaves alone.
    func write(_ output: OutputQueue) -> ChannelOutcome
    /// Ends the connection, in order as far as it can be done without waiting.
    func close()
}

/// How far a channel came.
enum ChannelOutcome: Hashable {
    /// So many bytes were read or written.
    case transferred(Int)
    /// Nothing can be done until the descriptor is ready for this.
    case blocked(until: Readiness)
    /// The peer sends nothing more.
    case ended
    /// The connection is broken; why, for the log.
    case failed(String)
}
