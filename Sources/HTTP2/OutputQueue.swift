import DequeModule

/// Bytes on their way to the socket: frames made by the session, and ranges of message storage that is shared, never copied.
public struct OutputQueue {
    private struct Chunk {
        var storage: [UInt8]
        var range: Range<Int>
        /// The stream whose message bytes these are; nil for frame headers and control frames.
        let stream: OutboundStream?
    }

    /// Bytes of frames that share a chunk. A chunk gives its storage back as a whole, when the socket has taken all of it: one that grew
    /// while it was taken would grow for as long as a peer reads slowly and asks for more.
    static let chunkSize = 4096

    private var chunks: Deque<Chunk> = []

    /// Bytes in the queue.
    public private(set) var byteCount = 0

    /// Bytes of memory held for frames, those that the socket has taken already included.
    var frameStorageByteCount: Int {
        chunks.reduce(0) { $1.stream == nil ? $0 + $1.storage.count : $0 }
    }

    /// Whether nothing waits.
    public var isEmpty: Bool { byteCount == 0 }

    /// Copies the bytes of a frame, and of what goes behind it.
    mutating func append(frame bytes: UnsafeBufferPointer<UInt8>, _ head: [UInt8] = []) {
        guard !(bytes.isEmpty && head.isEmpty) else { return }
        byteCount += bytes.count + head.count
        // A push is two chunks: room for them at once.
        if chunks.isEmpty { chunks.reserveCapacity(2) }
        if let last = chunks.indices.last, chunks[last].stream == nil, chunks[last].storage.count < Self.chunkSize {
            chunks[last].storage.append(contentsOf: bytes)
            chunks[last].storage.append(contentsOf: head)
            chunks[last].range = chunks[last].range.lowerBound..<chunks[last].storage.count
        } else {
            var storage: [UInt8] = []
            storage.reserveCapacity(bytes.count + head.count)
            storage.append(contentsOf: bytes)
            storage.append(contentsOf: head)
            chunks.append(Chunk(storage: storage, range: 0..<storage.count, stream: nil))
        }
    }

    /// Adds a range of a stream's message bytes, sharing their storage.
    mutating func append(_ storage: [UInt8], _ range: Range<Int>, of stream: OutboundStream) {
        guard !range.isEmpty else { return }
        byteCount += range.count
        chunks.append(Chunk(storage: storage, range: range, stream: stream))
    }

    /// Removes `count` bytes from the front, and says how many of them were message bytes of which stream.
    mutating func consume(_ count: Int, taken: (_ stream: OutboundStream, _ count: Int) -> Void) {
        var left = min(count, byteCount)
        byteCount -= left
        while left > 0, let first = chunks.first {
            let part = min(left, first.range.count)
            left -= part
            if part == first.range.count {
                chunks.removeFirst()
            } else {
                chunks[0].range = first.range.lowerBound + part..<first.range.upperBound
            }
            if let stream = first.stream { taken(stream, part) }
        }
        if chunks.isEmpty { chunks = [] }  // an idle connection keeps no storage
    }

    /// Calls `body` with the first chunks, at most `maximum`, as they lie in memory.
    ///
    /// Not generic over a result: for other modules that would be put together at run time, with each push.
    public func withVectors(maximum: Int, _ body: (UnsafeMutableBufferPointer<UnsafeRawBufferPointer>) -> Void) {
        let count = min(maximum, chunks.count)
        withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: count) { vectors in
            fill(vectors, from: 0, body)
        }
    }

    /// The same, with a result.
    public func withVectors<Result>(
        maximum: Int, _ body: (UnsafeMutableBufferPointer<UnsafeRawBufferPointer>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: Result.self, capacity: 1) { slot in
            withVectors(maximum: maximum) { vectors in slot.initializeElement(at: 0, to: body(vectors)) }
            return slot.moveElement(from: 0)
        }
    }

    /// Nests one `withUnsafeBytes` in another, because a chunk's address is only good inside its own; as deep as `vectors` is long.
    private func fill(
        _ vectors: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>, from index: Int,
        _ body: (UnsafeMutableBufferPointer<UnsafeRawBufferPointer>) -> Void
    ) {
        guard index < vectors.count else { return body(vectors) }
        let range = chunks[index].range
        chunks[index].storage.withUnsafeBytes { bytes in
            vectors.initializeElement(at: index, to: UnsafeRawBufferPointer(rebasing: bytes[range]))
            fill(vectors, from: index + 1, body)
        }
    }
}
