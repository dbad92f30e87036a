import Testing

@testable import Transport

@Suite struct EventLoopTests {
    private actor Pinned {
        let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
        var count = 0

        init(_ loop: EventLoop) {
            self.loop = loop
        }

        func increment() -> Bool {
            count += 1
            return loop.isCurrent
        }

        func runTimers(_ delays: [(Int, Duration)], cancelling cancelled: Int) async -> [Int] {
            // As many elements as timers, so that none is dropped.
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingOldest(delays.count))
            var tokens: [Int: TimerToken] = [:]
            for (number, delay) in delays {
                tokens[number] = loop.schedule(after: delay) { continuation.yield(number) }
            }
            if let token = tokens[cancelled] { loop.cancel(token) }
            return await stream.prefix(delays.count - 1).reduce(into: []) { $0.append($1) }
        }
    }

    @Test func runsActorsOnItsThread() async throws {
        let loop = try EventLoop(name: "test-loop")
        let pinned = Pinned(loop)
        #expect(!loop.isCurrent)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask { await pinned.increment() }
            }
            for await isOnLoop in group { #expect(isOnLoop) }
        }
        #expect(await pinned.count == 100)
    }

    @Test func entersIsolationFromSubmittedCalls() async throws {
        let loop = try EventLoop(name: "test-loop")
        let pinned = Pinned(loop)
        let isOnLoop = await withCheckedContinuation { continuation in
            loop.submit { continuation.resume(returning: pinned.assumeIsolated { $0.increment() }) }
        }
        #expect(isOnLoop)
    }

    @Test func firesTimersInOrderAndNotTheCancelled() async throws {
        let pinned = Pinned(try EventLoop(name: "test-loop"))
        let fired = await pinned.runTimers(
            [(3, .milliseconds(30)), (1, .milliseconds(1)), (9, .milliseconds(10)), (2, .milliseconds(15))], cancelling: 9)
        #expect(fired == [1, 2, 3])
    }

    @Test func isFreedWithItsLastReference() async throws {
        weak var weakLoop: EventLoop?
        do {
            let pinned = Pinned(try EventLoop(name: "test-loop"))
            weakLoop = pinned.loop
            _ = await pinned.increment()
        }
        // The thread may still be in the tick of the last job.
        while weakLoop != nil { await Task.yield() }
        #expect(weakLoop == nil)
    }
}

@Suite struct TimerQueueTests {
    @Test func popsWhatIsDueByDeadlineThenOrder() {
        let start = ContinuousClock.now
        var queue = TimerQueue<String>()
        _ = queue.schedule(at: start + .seconds(2), "c")
        _ = queue.schedule(at: start + .seconds(1), "a")
        _ = queue.schedule(at: start + .seconds(1), "b")
        let cancelled = queue.schedule(at: start, "x")
        queue.cancel(cancelled)
        queue.cancel(cancelled)
        let next = queue.nextDeadline()
        #expect(next == start + .seconds(1))
        var popped: [String?] = []
        for second in [0, 1, 1, 1, 2, 2] { popped.append(queue.popDue(at: start + .seconds(second))) }
        #expect(popped == [nil, "a", "b", nil, "c", nil])
        #expect(queue.count == 0)
    }

    @Test func forgetsCancelledTimers() {
        let start = ContinuousClock.now
        var queue = TimerQueue<Int>()
        for number in 0..<10_000 {
            queue.cancel(queue.schedule(at: start + .seconds(number), number))
        }
        _ = queue.schedule(at: start, 1)
        #expect(queue.count == 1)
        let popped = [queue.popDue(at: start), queue.popDue(at: start + .seconds(100_000))]
        #expect(popped == [1, nil])
    }
}
