import Testing

@testable import Transport

@Suite struct ConnectionDeadlinesTests {
    private let start = Moment.now

    private let configuration: ServerConfiguration

    init() throws {
        var configuration = ServerConfiguration(bindAddress: try SocketAddress("127.0.0.1:0"))
        configuration.prefaceTimeout = .seconds(10)
        configuration.headersTimeout = .seconds(5)
        configuration.idleTimeout = .seconds(300)
        configuration.keepaliveInterval = .seconds(30)
        configuration.keepaliveTimeout = .seconds(20)
        configuration.stallTimeout = .seconds(60)
        self.configuration = configuration
    }

    private func verdict(_ deadlines: ConnectionDeadlines, _ seconds: Int) -> ConnectionDeadlines.Verdict {
        deadlines.verdict(configuration, at: start + .seconds(seconds))
    }

    @Test func thePrefaceMustComeInTime() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        // Bytes that drip in do not extend the time.
        deadlines.received(isPrefaceComplete: false, isInsideHeaders: false, at: start + .seconds(9))
        #expect(verdict(deadlines, 9) == .wait)
        #expect(verdict(deadlines, 10) == .close(.preface))
    }

    @Test func headersMustBeCompletedInTime() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: true, at: start)
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: true, at: start + .seconds(4))
        #expect(verdict(deadlines, 4) == .wait)
        #expect(verdict(deadlines, 5) == .close(.headers))
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(4))
        #expect(verdict(deadlines, 5) == .wait)
    }

    @Test func settingsMustBeAcknowledgedInTime() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        func hear(_ seconds: Int, isAwaiting: Bool) {
            deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(seconds))
            deadlines.awaitsSettings(isAwaiting)
        }
        hear(0, isAwaiting: true)
        // Whatever else is sent does not extend the time.
        hear(19, isAwaiting: true)
        #expect(verdict(deadlines, 19) == .wait)
        #expect(verdict(deadlines, 20) == .close(.settings))
        hear(19, isAwaiting: false)
        #expect(verdict(deadlines, 20) == .wait)
    }

    @Test func silenceLeadsToAPingAndThenToTheEnd() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start)
        deadlines.hasStreams(true, at: start)
        #expect(verdict(deadlines, 29) == .wait)
        #expect(verdict(deadlines, 30) == .ping)
        deadlines.pinged(at: start + .seconds(30))
        #expect(verdict(deadlines, 49) == .wait)
        #expect(verdict(deadlines, 50) == .close(.silent))
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(49))
        #expect(verdict(deadlines, 50) == .wait)
        #expect(verdict(deadlines, 79) == .ping)
    }

    @Test func aConnectionWithoutStreamsEnds() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        func hear(_ seconds: Int) {
            deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(seconds))
        }
        hear(0)
        deadlines.hasStreams(true, at: start)
        hear(299)
        #expect(verdict(deadlines, 300) == .wait)
        deadlines.hasStreams(false, at: start + .seconds(299))
        deadlines.hasStreams(false, at: start + .seconds(400))
        hear(598)
        #expect(verdict(deadlines, 598) == .wait)
        #expect(verdict(deadlines, 599) == .close(.idle))
    }

    @Test func aPeerThatTakesNothingIsClosed() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        deadlines.hasStreams(true, at: start)
        func hear(_ seconds: Int) {
            deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(seconds))
        }
        deadlines.wrote(messageByteCount: 5, isAnythingLeft: true, at: start)
        deadlines.wrote(messageByteCount: 0, isAnythingLeft: true, at: start + .seconds(50))
        hear(59)
        #expect(verdict(deadlines, 59) == .wait)
        #expect(verdict(deadlines, 60) == .close(.stalled))
        // Drops don't count …
        deadlines.wrote(messageByteCount: 1000, isAnythingLeft: true, at: start + .seconds(59))
        #expect(verdict(deadlines, 60) == .close(.stalled))
        // … unless they add up.
        deadlines.wrote(messageByteCount: 16 * 1024 - 1000, isAnythingLeft: true, at: start + .seconds(59))
        #expect(verdict(deadlines, 60) == .wait)
        hear(118)
        #expect(verdict(deadlines, 119) == .close(.stalled))
        deadlines.wrote(messageByteCount: 1, isAnythingLeft: false, at: start + .seconds(119))
        #expect(verdict(deadlines, 119) == .wait)
    }

    @Test func aMessageMustBeCompletedInTime() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        deadlines.hasStreams(true, at: start)
        func hear(_ seconds: Int, isUnfinished: Bool) {
            deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(seconds))
            deadlines.hasUnfinishedMessages(isUnfinished, at: start + .seconds(seconds))
        }
        hear(0, isUnfinished: true)
        hear(59, isUnfinished: true)
        #expect(verdict(deadlines, 59) == .wait)
        #expect(verdict(deadlines, 60) == .close(.unfinished))
        hear(59, isUnfinished: false)
        #expect(verdict(deadlines, 60) == .wait)
    }

    @Test func theSecondStepOfAShutdownDoesNotWaitForever() {
        var deadlines = ConnectionDeadlines(openedAt: start)
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start)
        deadlines.announcedShutdown(at: start)
        #expect(verdict(deadlines, 1) == .refuseNewStreams)
        deadlines.refusedNewStreams()
        #expect(verdict(deadlines, 1) == .wait)
    }

    @Test func anOldConnectionIsRetiredAndThenClosed() {
        var configuration = configuration
        configuration.gracePeriod = .seconds(7)
        var deadlines = ConnectionDeadlines(openedAt: start, retiresAt: start + .seconds(25))
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start)
        deadlines.hasStreams(true, at: start)
        func verdict(_ seconds: Int) -> ConnectionDeadlines.Verdict {
            deadlines.verdict(configuration, at: start + .seconds(seconds))
        }
        #expect(verdict(24) == .wait)
        #expect(verdict(25) == .retire)
        deadlines.retired(at: start + .seconds(25))
        #expect(verdict(31) == .ping)
        deadlines.received(isPrefaceComplete: true, isInsideHeaders: false, at: start + .seconds(31))
        #expect(verdict(31) == .wait)
        #expect(verdict(32) == .close(.age))
    }
}
