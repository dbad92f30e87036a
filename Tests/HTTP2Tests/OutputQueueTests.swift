import GRPC
import Testing

@testable import HTTP2

@Suite struct OutputQueueTests {
    private func bytes(_ queue: OutputQueue, maximum: Int = 100) -> [UInt8] {
        queue.withVectors(maximum: maximum) { $0.flatMap { Array($0) } }
    }

    private func frame(_ bytes: [UInt8], into queue: inout OutputQueue) {
        bytes.withUnsafeBufferPointer { queue.append(frame: $0) }
    }

    @Test func keepsTheOrderAndCountsTheStreams() {
        var queue = OutputQueue()
        frame([1, 2], into: &queue)
        frame([3], into: &queue)
        queue.append([0, 4, 5, 0], 1..<3, of: OutboundStream(id: 7))
        queue.append([6], 0..<1, of: OutboundStream(id: 9))
        frame([8], into: &queue)
        #expect(queue.byteCount == 7)
        #expect(bytes(queue) == [1, 2, 3, 4, 5, 6, 8])
        #expect(bytes(queue, maximum: 2) == [1, 2, 3, 4, 5])

        var taken: [[Int]] = []
        queue.consume(4) { taken.append([Int($0.id), $1]) }
        #expect(bytes(queue) == [5, 6, 8])
        queue.consume(100) { taken.append([Int($0.id), $1]) }
        #expect(taken == [[7, 1], [7, 1], [9, 1]])
        #expect(queue.isEmpty)
        #expect(bytes(queue).isEmpty)
    }

    @Test func framesOfASlowReaderKeepNoStorageBehindThem() {
        var queue = OutputQueue()
        // Whoever takes a little and asks for as much again keeps the queue from ever being empty.
        frame(Array(repeating: 0, count: 100), into: &queue)
        for _ in 0..<100_000 {
            frame(Array(repeating: 1, count: 17), into: &queue)
            queue.consume(17) { _, _ in }
        }
        #expect(queue.byteCount == 100)
        #expect(queue.frameStorageByteCount <= 2 * (OutputQueue.chunkSize + 17))
    }

    @Test func sharesMessageStorage() {
        let body = [UInt8](repeating: 1, count: 100)
        var queue = OutputQueue()
        queue.append(body, 10..<20, of: OutboundStream(id: 1))
        let address = body.withUnsafeBytes { $0.baseAddress.map { $0 + 10 } }
        #expect(queue.withVectors(maximum: 1) { $0.first?.baseAddress } == address)
    }

    @Test(arguments: [1, 3, 7, 1000]) func framesMessagesWhateverTheFrameSize(frameSize: Int) {
        let stream = OutboundStream(id: 1)
        stream.append(OutboundMessage(head: [1, 2], body: [3, 4, 5]))
        stream.append(OutboundMessage(head: [], body: []))
        stream.append(OutboundMessage(head: [], body: [6]))
        let expected: [UInt8] = [0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 6]
        #expect(stream.unframedByteCount == expected.count)
        var queue = OutputQueue()
        var copied = 0
        while stream.unframedByteCount > 0 {
            copied += stream.frame(frameSize, header: UnsafeBufferPointer(start: nil, count: 0), into: &queue)
        }
        #expect(bytes(queue) == expected)
        // What goes into the frame's own bytes, with more of its message behind it, counts as taken; the rest when the socket takes it.
        #expect(stream.pendingByteCount == expected.count - copied)
        var taken = 0
        queue.consume(expected.count) { taken += $1 }
        #expect(taken == expected.count - copied)
    }
}
