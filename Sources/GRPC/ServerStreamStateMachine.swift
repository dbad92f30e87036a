/// The server's view of one RPC: the client's half (open, ended) times the server's half (silent, streaming, ended).
///
/// A machine exists only for a valid request, so no state "awaiting headers" is needed. Illegal operations are of two kinds.
/// The peer's violations (a bad prefix, a truncated message) end the RPC with a status; what comes from either side after
/// its half has ended is dropped silently, because it may legally cross on the way.
public struct ServerStreamStateMachine: Sendable {
    /// Exits: `ended` by the end of the stream, a violation, or the end of the server's half.
    private enum ClientHalf: Sendable {
        case open(MessageDeframer)
        case ended
    }

    /// Exits of `silent`: `streaming` by the first message, `ended` by a status (trailers-only).
    /// Exit of `streaming`: `ended` by a status.
    private enum ServerHalf: Sendable {
        case silent
        case streaming
        case ended
    }

    private var client: ClientHalf
    private var server = ServerHalf.silent

    /// What a request's header section leads to.
    public enum Opening: Sendable {
        /// Route the request; this machine follows its RPC.
        case open(ServerStreamStateMachine, RequestHead)
        /// Send these fields with the end of the stream; there is no RPC.
        case respond([HeaderField])
    }

    /// Judges a request's header section.
    public static func open(_ fields: [HeaderField], endOfStream: Bool, maximumMessageSize: Int) -> Opening {
        let head: RequestHead
        do {
            head = try RequestHead(fields)
        } catch {
            return .respond(error.response)
        }
        let client = endOfStream ? ClientHalf.ended : .open(MessageDeframer(maximumMessageSize: maximumMessageSize))
        return .open(ServerStreamStateMachine(client: client), head)
    }

    private init(client: ClientHalf) {
        self.client = client
    }

    /// Bytes held for an unfinished inbound message.
    public var bufferedByteCount: Int {
        if case .open(let deframer) = client { deframer.bufferedByteCount } else { 0 }
    }

    // MARK: - The client's half

    /// What received bytes lead to.
    public enum ReceiveAction: Hashable, Sendable {
        /// All bytes are consumed.
        case wait
        /// Deliver this message, then call again with the rest of the bytes.
        case deliver([UInt8])
        /// Finish the RPC with this status; the rest of the client's half is dropped.
        case fail(Status)
    }

    /// The client sent `bytes`; consumes them up to the end of one message.
    public mutating func receive(_ bytes: inout ArraySlice<UInt8>) -> ReceiveAction {
        guard case .open(var deframer) = client else {
            bytes.removeAll()
            return .wait
        }
        client = .ended  // the deframer has one owner while it grows its buffer
        do {
            let message = try deframer.next(from: &bytes)
            client = .open(deframer)
            return message.map(ReceiveAction.deliver) ?? .wait
        } catch {
            bytes.removeAll()
            return .fail(error.status)
        }
    }

    /// What the end of the client's messages leads to.
    public enum EndAction: Hashable, Sendable {
        /// Tell the receiver.
        case deliverEnd
        /// Finish the RPC with this status.
        case fail(Status)
        /// Nothing to do.
        case ignore
    }

    /// The client ended its half.
    public mutating func receiveEnd() -> EndAction {
        guard case .open(let deframer) = client else { return .ignore }
        client = .ended
        return deframer.isAtBoundary
            ? .deliverEnd : .fail(Status(.internal, "the client ended the stream inside a message"))
    }

    // MARK: - The server's half

    /// What sending a message leads to.
    public enum SendAction: Sendable {
        /// Submit these response headers, then the message.
        case sendHeadAndMessage([HeaderField])
        /// Submit the message.
        case sendMessage
        /// The RPC has ended: drop it.
        case ignore
    }

    /// The server sends a message.
    public mutating func send() -> SendAction {
        switch server {
        case .silent:
            server = .streaming
            return .sendHeadAndMessage(ResponseFields.head)
        case .streaming: return .sendMessage
        case .ended: return .ignore
        }
    }

    /// What finishing leads to.
    public enum FinishAction: Sendable {
        /// Submit these fields as the whole response.
        case respond([HeaderField])
        /// Submit these trailers after the queued messages.
        case sendTrailers([HeaderField])
        /// The RPC has ended already.
        case ignore
    }

    /// The server ends the RPC, and with it whatever the client still has to say.
    public mutating func finish(_ status: Status) -> FinishAction {
        defer {
            client = .ended
            server = .ended
        }
        switch server {
        case .silent: return .respond(ResponseFields.trailersOnly(status))
        case .streaming: return .sendTrailers(ResponseFields.trailers(status))
        case .ended: return .ignore
        }
    }
}
