import Testing

@testable import Transport

@Suite struct HandshakeQueueTests {
    @Test func addressesTakeTurns() {
        var queue = HandshakeQueue<String, Int>()
        for number in 1...4 { queue.append(number, of: "many", hasBegun: false) }
        queue.append(10, of: "one", hasBegun: false)
        var order: [Int] = []
        for _ in 0..<3 { order += queue.popFirst().map { [$0] } ?? [] }
        // Who comes later is behind one of those who have been there.
        queue.append(20, of: "other", hasBegun: false)
        while let next = queue.popFirst() { order.append(next) }
        #expect(order == [1, 10, 2, 3, 20, 4])
        #expect(queue.isEmpty)
    }

    @Test func whatHasBegunGoesFirst() {
        var queue = HandshakeQueue<String, Int>()
        queue.append(1, of: "a", hasBegun: false)
        queue.append(2, of: "b", hasBegun: false)
        queue.append(3, of: "b", hasBegun: true)
        queue.append(4, of: "b", hasBegun: true)
        queue.append(5, of: "a", hasBegun: true)
        var order: [Int] = []
        while let next = queue.popFirst() { order.append(next) }
        #expect(order == [3, 5, 4, 1, 2])
    }

    /// However many there are that have begun, and however slowly they go on.
    @Test func everyFourthTurnIsForTheOthers() {
        var queue = HandshakeQueue<String, Int>()
        for number in 10..<17 { queue.append(number, of: "many", hasBegun: true) }
        for number in 1...2 { queue.append(number, of: "new", hasBegun: false) }
        var order: [Int] = []
        while let next = queue.popFirst() { order.append(next) }
        #expect(order == [10, 11, 12, 1, 13, 14, 15, 2, 16])
    }
}

@Suite struct NetworkTests {
    @Test(arguments: [
        ("127.0.0.1:1", "127.0.0.1:2", true), ("127.0.0.1:1", "127.0.0.2:1", false),
        ("[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true),
        ("[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false), ("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.2]:1", false),
    ]) func whatAHostIsGivenIsOneNetwork(one: String, other: String, isSame: Bool) throws {
        #expect(try (SocketAddress(one).network == SocketAddress(other).network) == isSame)
    }
}

@Suite struct TimeShareTests {
    @Test func aBurstThenAShare() {
        let start = ContinuousClock.now
        var share = TimeShare(0.5, burst: .milliseconds(10), at: start)
        let pauses = [
            share.took(.milliseconds(9), at: start),
            share.took(.milliseconds(3), at: start),
            // 2 ms were owed, and 4 ms have given 2 back.
            share.took(.milliseconds(5), at: start + .milliseconds(4)),
            // No more than the burst is saved up.
            share.took(.milliseconds(11), at: start + .seconds(100)),
            share.took(.zero, at: start + .seconds(200)),
        ]
        #expect(pauses == [nil, .milliseconds(4), .milliseconds(10), .milliseconds(2), nil])
    }

    /// Whoever waits as long as told, and takes whatever it likes then, has its share in the end.
    @Test(arguments: [0.1, 0.75, 1]) func theShareIsKeptInTheLongRun(part: Double) {
        let start = ContinuousClock.now
        var (share, now, taken) = (TimeShare(part, burst: .milliseconds(50), at: start), start, Duration.zero)
        for index in 0..<1000 {
            let slice = Duration.microseconds(100 + index % 7 * 500)
            now += slice
            taken += slice
            now += share.took(slice, at: now) ?? .zero
        }
        let result = taken / (now - start)
        #expect(result > part * 0.95 && result < part * 1.05 + 0.1, "\(result)")
    }
}
