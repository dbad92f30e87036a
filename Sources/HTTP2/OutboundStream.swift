import DequeModule
import GRPC

/// The outbound half of one stream: messages that no frame carries yet, then perhaps trailers.
struct OutboundStream {
    private var messages: Deque<OutboundMessage> = []
    /// Bytes of the first message that frames carry already.
    private var offset = 0

    /// Message bytes that no frame carries yet.
    private(set) var unframedByteCount = 0
    /// Message bytes that the socket has not taken yet, framed or not.
    private(set) var pendingByteCount = 0

    /// Sent after the last message; nil while the stream goes on.
    var trailers: [HeaderField]?
    /// Whether nghttp2 waits to be told that there is data.
    var isDeferred = false
    /// Whether the response has begun.
    var hasBegun = false
    /// Whether someone waits for `pendingByteCount` to fall to 0.
    var isBlocked = false

    mutating func append(_ message: OutboundMessage) {
        messages.append(message)
        unframedByteCount += message.byteCount
        pendingByteCount += message.byteCount
    }

    /// The socket took `count` bytes.
    mutating func written(_ count: Int) {
        pendingByteCount -= count
    }

    /// Moves `count` bytes to the output.
    mutating func frame(_ count: Int, of streamID: Int32, into output: inout OutputQueue) {
        var left = min(count, unframedByteCount)
        unframedByteCount -= left
        while left > 0, let first = messages.first {
            let headPart = min(left, max(0, first.head.count - offset))
            output.append(first.head, offset..<offset + headPart, of: streamID)
            offset += headPart
            left -= headPart

            let bodyOffset = offset - first.head.count
            if left > 0, bodyOffset >= 0 {
                let bodyPart = min(left, first.body.count - bodyOffset)
                output.append(first.body, bodyOffset..<bodyOffset + bodyPart, of: streamID)
                offset += bodyPart
                left -= bodyPart
            }
            if offset == first.byteCount {
                messages.removeFirst()
                offset = 0
            }
        }
        if messages.isEmpty { messages = [] }  // an idle stream keeps no storage
    }
}
