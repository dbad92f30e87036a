import Logging
import Synchronization
import Testing

@testable import Observability

@Suite struct LogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func logger(
        _ lines: Lines, level: LogLevel = LogLevel(.info), format: LineLogHandler.Format = .text, rate: LogRate = LogRate()
    ) -> Logger {
        Logger(label: "test") { LineLogHandler(label: $0, level: level, format: format, rate: rate, write: lines.add) }
    }

    @Test func theLevelChangesForLoggersThatExist() {
        let (lines, level) = (Lines(), LogLevel(.info))
        let logger = logger(lines, level: level)
        logger.debug("one")
        #expect(level.toggle() == .debug)
        logger.debug("two")
        #expect(level.toggle() == .info)
        logger.debug("three")
        #expect(lines.all.count == 1 && lines.all[0].hasSuffix("DEBUG test: two"))
    }

    @Test func aLevelThatBeganAtDebugTogglesToo() {
        let level = LogLevel(.debug)
        #expect(level.toggle() == .info)
        #expect(level.toggle() == .debug)
    }

    @Test func onePlaceCannotFillTheLogAndOthersAreNotConcerned() {
        let lines = Lines()
        let logger = logger(lines, rate: LogRate(burst: 3, perSecond: 1))
        for number in 0..<1000 { logger.info("stream \(number)") }
        logger.info("elsewhere")
        #expect(lines.all.count >= 4 && lines.all.count < 100)
        #expect(lines.all.last?.hasSuffix("elsewhere") == true)
    }

    @Test func whatWasHeldBackIsTold() {
        let rate = LogRate(burst: 2, perSecond: 2)
        let place = LogRate.Place(file: "a", line: 1)
        let start = ContinuousClock.now
        let taken = (0..<5).map { _ in rate.take(place, at: start) }
        #expect(taken == [0, 0, nil, nil, nil])
        #expect(rate.take(LogRate.Place(file: "a", line: 2), at: start) == 0)
        #expect(rate.take(place, at: start + .milliseconds(500)) == 3)
        #expect(rate.take(place, at: start + .milliseconds(500)) == nil)
        // A clock that went back gives nothing and takes nothing.
        #expect(rate.take(place, at: start) == nil)
    }

    @Test(
        arguments: [
            (LineLogHandler.Format.text, "INFO test: one line   two node=\"a b\""),
            (.json, #""level":"info","logger":"test","message":"one line\n\u001b two","node":"a b"}"#),
        ])
    func othersCannotForgeLines(format: LineLogHandler.Format, end: String) {
        let lines = Lines()
        logger(lines, format: format).info("one line\n\u{1B} two", metadata: ["node": "a b"])
        #expect(lines.all.count == 1 && lines.all[0].hasSuffix(end), "\(lines.all)")
    }
}
