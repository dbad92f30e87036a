public import GRPC

/// What happened on a session, in order.
public enum SessionEvent: Sendable {
    /// A stream was opened with these header fields.
    case request(streamID: Int32, fields: [HeaderField], endOfStream: Bool)
    /// A stream was opened with a header list over the limit; its fields were dropped.
    case oversizedRequest(streamID: Int32)
    /// Bytes of a stream.
    case data(streamID: Int32, bytes: [UInt8])
    /// The peer sends nothing more on the stream.
    case endOfStream(streamID: Int32)
    /// The socket has taken all bytes of a stream that `markBlockedStreams` found waiting.
    case drained(streamID: Int32)
    /// The stream is gone, by both ends' END_STREAM (code 0) or a reset.
    case closed(streamID: Int32, errorCode: UInt32)
    /// The peer acknowledged a PING that carried this payload.
    case pingAcknowledged(payload: UInt64)
    /// The peer is going away; its streams go on.
    case goAwayReceived(errorCode: UInt32)
    /// The session must be closed once its output is flushed. The last event.
    case failed(SessionFailure)
}

/// Why a session cannot go on.
public enum SessionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first bytes are not the client preface of HTTP/2 (RFC 9113 section 3.4).
    case badPreface
    /// The peer makes more work than any real client.
    case flood(String)
    /// The peer broke the protocol; GOAWAY with this error code is in the output.
    case protocolViolation(String)

    public var description: String {
        switch self {
        case .badPreface: "the connection does not begin with the HTTP/2 preface"
        case .flood(let what): "flood: \(what)"
        case .protocolViolation(let what): "protocol violation: \(what)"
        }
    }
}
