/// How a watch's body is divided into events.
public enum WatchFraming: Sendable {
    /// One event a line, as JSON comes.
    case lines
    /// Four bytes of length, most significant first, before each event, as protobuf comes.
    case lengths
}

/// An event of a watch was larger than a client is willing to hold.
public struct FrameTooLarge: Error, Hashable, CustomStringConvertible {
    /// The limit in bytes.
    public let limit: Int

    /// Makes an error for this limit.
    public init(limit: Int) { self.limit = limit }

    public var description: String { "an event of the watch is larger than \(limit) bytes" }
}

/// Puts the events of a watch together from chunks that are cut anywhere.
///
/// Each byte is copied once and looked at once, however many chunks an event has.
public struct FrameSplitter: Sendable {
    private let framing: WatchFraming
    private let limit: Int
    private var buffer: [UInt8] = []
    /// How much of the buffer has been searched for the end of a line.
    private var searched = 0

    /// Makes a splitter that refuses events of more than `limit` bytes.
    public init(_ framing: WatchFraming, limit: Int = 32 << 20) {
        self.framing = framing
        self.limit = limit
    }

    /// Whether an event has begun that has not ended.
    public var hasPartialFrame: Bool { !buffer.isEmpty }

    /// Takes a chunk and returns the events that are complete with it, in order; empty lines are none.
    public mutating func append(_ chunk: [UInt8]) throws(FrameTooLarge) -> [[UInt8]] {
        buffer += chunk
        var frames: [[UInt8]] = []
        var start = 0
        switch framing {
        case .lines:
            while let end = buffer[max(searched, start)...].firstIndex(of: UInt8(ascii: "\n")) {
                guard end - start <= limit else { throw FrameTooLarge(limit: limit) }
                if !buffer[start..<end].allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
                    frames.append(Array(buffer[start..<end]))
                }
                start = end + 1
                searched = start
            }
        case .lengths:
            while buffer.count - start >= 4 {
                let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= limit else { throw FrameTooLarge(limit: limit) }
                guard buffer.count - start - 4 >= length else { break }
                frames.append(Array(buffer[start + 4..<start + 4 + length]))
                start += 4 + length
            }
        }
        buffer.removeFirst(start)
        searched = buffer.count
        if framing == .lines, buffer.count > limit { throw FrameTooLarge(limit: limit) }
        return frames
    }
}
