import RPCTestClient
import Testing

@testable import HTTP2

@Suite struct FrameCounterTests {
    private static let frames =
        RawFrame.preface + RawFrame.headers(1, RawFrame.request("/a.B/C")) + RawFrame.frame(.data, stream: 1, [1, 2, 3])
        + RawFrame.frame(.data, stream: 1, Array(repeating: 6, count: 16)) + RawFrame.reset(1)
        + RawFrame.frame(type: 0xBE, Array(repeating: 1, count: 300)) + RawFrame.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])

    @Test(arguments: [1, 2, 7, 9, 10, 1000]) func countsHoweverTheBytesAreCut(size: Int) {
        var counter = FrameCounter(smallestDataFrame: 16)
        var (requests, resets, controlFrames) = (0, 0, 0)
        var rest = Self.frames[...]
        while !rest.isEmpty {
            let counts = Array(rest.prefix(size)).withUnsafeBytes { counter.count($0) }
            requests += counts.requests
            resets += counts.resets
            controlFrames += counts.controlFrames
            rest = rest.dropFirst(size)
        }
        // SETTINGS twice, the small DATA, the unknown frame, PING.
        #expect([requests, resets, controlFrames] == [1, 1, 5])
    }
}
