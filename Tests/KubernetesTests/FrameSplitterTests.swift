import Kubernetes
import Testing

/// Requirement 11: chunks are cut anywhere.
@Suite struct FrameSplitterTests {
    private static let text = Array("{\"a\":\"é€😀\"}\n\r\n{}\n".utf8)
    private static let lines = ["{\"a\":\"é€😀\"}", "{}"]

    @Test(arguments: 1...text.count) func `11 a line is found however chunks are cut`(size: Int) throws {
        var splitter = FrameSplitter(.lines)
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: Self.text.count, by: size) {
            frames += try splitter.append(Array(Self.text[start..<min(start + size, Self.text.count)]))
        }
        #expect(frames.map { String(decoding: $0, as: UTF8.self) } == Self.lines)
        #expect(!splitter.hasPartialFrame)
    }

    @Test(arguments: 1...15) func `11 a frame with a length is found however chunks are cut`(size: Int) throws {
        let bytes: [UInt8] = [0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 9]
        var splitter = FrameSplitter(.lengths)
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            frames += try splitter.append(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(frames == [[1, 2, 3], [], [9]])
    }

    @Test func `11 an event may be larger than any chunk`() throws {
        var splitter = FrameSplitter(.lines)
        for _ in 0..<100 { #expect(try splitter.append([UInt8](repeating: 0x61, count: 100_000)).isEmpty) }
        #expect(splitter.hasPartialFrame)
        #expect(try splitter.append([0x0A, 0x62]).map(\.count) == [10_000_000])
    }

    @Test func `11 an event beyond the limit is refused`() {
        var lines = FrameSplitter(.lines, limit: 10)
        #expect(throws: FrameTooLarge(limit: 10)) { try lines.append([UInt8](repeating: 0x61, count: 11)) }
        var lengths = FrameSplitter(.lengths, limit: 10)
        #expect(throws: FrameTooLarge(limit: 10)) { try lengths.append([0xFF, 0xFF, 0xFF, 0xFF]) }
    }
}
