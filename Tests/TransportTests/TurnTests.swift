import Dispatch
import Foundation
import Testing

@testable import Transport

@Suite struct TurnTests {
    @Test func isOverByTheClockOnTheWall() {
        let now = ContinuousClock.now
        let turn = Turn(at: now, processorTime: nil)
        #expect(!turn.isOver(at: now + .microseconds(1999)))
        #expect(turn.isOver(at: now + .milliseconds(2)))
    }

    @Test(
        arguments: [
            (nil, 100_000, nil), (0, 1999, nil), (0, 2000, 20_000), (7000, 9000, 20_000), (7000, 27_000, 80_000),
        ] as [(Int?, Int, Int?)])
    func whoTookProcessorTimeRests(begin: Int?, end: Int, rest: Int?) {
        let turn = Turn(at: .now, processorTime: begin.map { .microseconds($0) })
        #expect(turn.rest(processorTime: .microseconds(end)) == rest.map { .microseconds($0) })
    }

    @Test func aThreadThatWaitsTakesNothing() {
        let turn = Turn(at: .now, processorTime: ProcessorTime.ofThread)
        let isOver = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while !turn.isOver(at: .now) {}
            isOver.signal()
        }
        isOver.wait()
        #expect(turn.isOver(at: .now))
        #expect(turn.rest(processorTime: ProcessorTime.ofThread) == nil)
        while turn.rest(processorTime: ProcessorTime.ofThread) == nil {}
        #expect(turn.isOver(at: .now))
    }
}
