import DequeModule
import GRPC

/// The outbound half of one stream: messages that no frame carries yet, then perhaps trailers.
///
/// One object, which nghttp2 hands back with each question about the stream and which the output's chunks name: a push finds
/// it once. It belongs to its session, and never leaves the session's isolation.
package final class OutboundStream {
    private static let copiedHeadSize = 64

    package let id: Int32
    /// The first message; nil when there is none. Nearly always it is the only one, and needs no queue.
    private var message: OutboundMessage?
    private var furtherMessages: Deque<OutboundMessage> = []
    /// Bytes of the first message that frames carry already.
    private var offset = 0

    /// Message bytes that no frame carries yet.
    private(set) var unframedByteCount = 0
    /// Message bytes that the socket has not taken yet, framed or not.
    package private(set) var pendingByteCount = 0

    /// Sent after the last message; nil while the stream goes on.
    var trailers: [HeaderField]?
    /// Whether nghttp2 waits to be told that there is data.
    var isDeferred = false
    /// Whether the response has begun.
    var hasBegun = false
    /// Whether someone waits for `pendingByteCount` to fall to 0.
    var isBlocked = false
    /// Whether the stream is gone, and its bytes in the output count for nobody.
    package internal(set) var isClosed = false

    init(id: Int32) { self.id = id }

    func append(_ message: OutboundMessage) {
        if self.message == nil { self.message = message } else { furtherMessages.append(message) }
        unframedByteCount += message.byteCount
        pendingByteCount += message.byteCount
    }

    /// The socket took `count` bytes.
    func written(_ count: Int) {
        pendingByteCount -= count
    }

    /// Moves `count` bytes to the output, behind the header of the frame that carries them. Returns how many of them are copied into the
    /// frame's own bytes, and count as taken.
    func frame(_ count: Int, header: UnsafeBufferPointer<UInt8>, into output: inout OutputQueue) -> Int {
        var left = min(count, unframedByteCount)
        unframedByteCount -= left
        var copied = 0
        if offset == 0, let first = message, first.head.count <= Self.copiedHeadSize, left > first.head.count {
            // A few bytes, and the rest of the message goes behind them: a chunk less.
            output.append(frame: header, first.head)
            copied = first.head.count
            offset = copied
            left -= copied
            pendingByteCount -= copied
        } else {
            output.append(frame: header)
        }
        while left > 0, let first = message {
            let headPart = min(left, max(0, first.head.count - offset))
            output.append(first.head, offset..<offset + headPart, of: self)
            offset += headPart
            left -= headPart

            let bodyOffset = offset - first.head.count
            if left > 0, bodyOffset >= 0 {
                let bodyPart = min(left, first.body.count - bodyOffset)
                output.append(first.body, bodyOffset..<bodyOffset + bodyPart, of: self)
                offset += bodyPart
                left -= bodyPart
            }
            if offset == first.byteCount { advance() }
        }
        return copied
    }

    private func advance() {
        message = furtherMessages.popFirst()
        offset = 0
        if furtherMessages.isEmpty { furtherMessages = [] }  // an idle stream keeps no storage
    }
}
