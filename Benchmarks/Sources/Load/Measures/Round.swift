import Glibc
import Measurement
import SimulatedEnvoy

/// One change and its way to all steady streams.
struct Round {
    /// Bytes that a response carries when the change is in it.
    let marker: [UInt8]
    /// How many resources carry it.
    let expected: Int
    /// When the change was made.
    let startedAt: Moment
    /// Nanoseconds to the receipt and the acknowledgement, by stream; 0 until then.
    var received: [Int64]
    var acknowledged: [Int64]
    /// Resources that carried the marker, by stream; empty when one is all that is expected.
    private var found: [Int]
    var receivedCount = 0
    var acknowledgedCount = 0

    init(marker: String, expected: Int, startedAt: Moment, streams: Int) {
        self.marker = Array(marker.utf8)
        self.expected = expected
        found = expected > 1 ? Array(repeating: 0, count: streams) : []
        self.startedAt = startedAt
        received = Array(repeating: 0, count: streams)
        acknowledged = received
    }

    /// A response came on a stream; returns whether the stream has all of the change with it.
    mutating func receive(_ response: DiscoveryResponse, on stream: Int, at now: Moment) -> Bool {
        guard received[stream] == 0, response.bytes.contains(marker) else { return false }
        if expected > 1 {
            let marker = marker
            var count = 0
            response.forEachResource { if $0.body.contains(marker) { count += 1 } }
            found[stream] += count
            guard found[stream] >= expected else { return false }
        }
        received[stream] = max(1, now.since(startedAt))
        receivedCount += 1
        return true
    }

    mutating func acknowledge(_ stream: Int, at now: Moment) {
        guard acknowledged[stream] == 0 else { return }
        acknowledged[stream] = max(1, now.since(startedAt))
        acknowledgedCount += 1
    }

    var result: RoundResult {
        RoundResult(
            received: received.lazy.filter { $0 > 0 }.map { Double($0) / 1e6 },
            acknowledged: acknowledged.lazy.filter { $0 > 0 }.map { Double($0) / 1e6 })
    }
}

/// Milliseconds from a change to each stream that received and acknowledged it.
public struct RoundResult: Sendable {
    /// To the receipt.
    public let received: [Double]
    /// To the acknowledgement's being written.
    public let acknowledged: [Double]

    init(received: some Sequence<Double>, acknowledged: some Sequence<Double>) {
        self.received = Array(received)
        self.acknowledged = Array(acknowledged)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether `word` occurs; an empty one does.
    func contains(_ word: [UInt8]) -> Bool {
        guard let first = word.first else { return true }
        guard var start = baseAddress else { return false }
        var left = count
        while left >= word.count, let found = memchr(start, CInt(first), left - word.count + 1) {
            if memcmp(found, word, word.count) == 0 { return true }
            left -= UnsafeRawPointer(found) - start + 1
            start = UnsafeRawPointer(found) + 1
        }
        return false
    }
}
