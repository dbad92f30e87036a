import Kubernetes
import Testing

/// Requirements 1 to 10 as a table: what happened, and the step that follows.
@Suite struct WatchStateMachineTests {
    private let start = ContinuousClock.now
    private let gone = WatchStateMachine.Failure.status(APIStatus(code: 410, reason: "Expired"))
    private let tooLarge = WatchStateMachine.Failure.status(
        APIStatus(code: 504, reason: "Timeout", causes: [APIStatus.Cause(reason: "ResourceVersionTooLarge")]))

    private func paged() -> WatchStateMachine {
        var configuration = WatchStateMachine.Configuration()
        configuration.prefersStreamingList = false
        return WatchStateMachine(configuration: configuration)
    }

    /// A machine that watches changes after version 5.
    private func watching() -> WatchStateMachine {
        var machine = paged()
        _ = machine.begin(draw: 0)
        _ = machine.pageListed(version: "5", continueToken: nil, draw: 0)
        machine.watchOpened(now: start)
        return machine
    }

    private func page(notOlderThan version: String? = nil, after token: String? = nil) -> WatchStateMachine.Step {
        var query = ListQuery(limit: 500, notOlderThan: version)
        query.continueToken = token
        return .list(query)
    }

    private func watch(after version: String, timeout: Int = 300) -> WatchStateMachine.Step {
        .watch(WatchQuery(start: .changes(after: version), timeoutSeconds: timeout))
    }

    private func stream(notOlderThan version: String? = nil) -> WatchStateMachine.Step {
        .watch(WatchQuery(start: .list(notOlderThan: version), timeoutSeconds: 300))
    }

    // MARK: - 1

    @Test func `1 the first list is consistent and paged, the watch begins at the list's version`() throws {
        var machine = paged()
        #expect(machine.begin(draw: 0) == page())
        #expect(ListQuery(limit: 500).parameters.map(\.name) == ["limit"])
        #expect(machine.pageListed(version: "5", continueToken: "t1", draw: 0) == page(after: "t1"))
        #expect(machine.pageListed(version: "5", continueToken: "t2", draw: 0) == page(after: "t2"))
        #expect(machine.pageListed(version: "5", continueToken: "", draw: 0) == watch(after: "5"))
    }

    @Test func `1 a continued page says no version, a relist says which it must not be older than`() {
        let continued = ListQuery(limit: 9, notOlderThan: "5", continueToken: "t")
        #expect(continued.parameters.map { "\($0.name)=\($0.value)" } == ["limit=9", "continue=t"])
        let relist = ListQuery(limit: 9, notOlderThan: "5")
        #expect(
            relist.parameters.map { "\($0.name)=\($0.value)" } == [
                "limit=9", "resourceVersion=5", "resourceVersionMatch=NotOlderThan",
            ])
    }

    @Test func `1 a list without a version is not watched`() {
        var machine = paged()
        _ = machine.begin(draw: 0)
        #expect(machine.pageListed(version: "", continueToken: nil, draw: 0.5) == .wait(.milliseconds(400)))
        #expect(machine.waited(draw: 0) == page())
    }

    // MARK: - 2, 3, 4

    @Test func `2 410 as a status relists with the last seen version, then with none`() {
        var machine = watching()
        _ = machine.received(.applied(version: "7"))
        #expect(machine.watchEnded(gone, now: start + .seconds(5), draw: 0) == page(notOlderThan: "7"))
        #expect(machine.relists == 1)
        #expect(machine.listFailed(gone, draw: 0) == page())
        #expect(machine.listFailed(gone, draw: 0.5) == .wait(.milliseconds(400)))
        #expect(machine.waited(draw: 0) == page())
    }

    @Test func `2 a server that expires whatever it has just listed is not asked in a hot loop`() {
        var machine = watching()
        #expect(machine.watchEnded(gone, now: start, draw: 0.5) == page(notOlderThan: "5"))
        _ = machine.pageListed(version: "6", continueToken: nil, draw: 0)
        #expect(machine.watchEnded(gone, now: start, draw: 0.5) == .wait(.milliseconds(400)))
        #expect(machine.waited(draw: 0) == page(notOlderThan: "6"))
        _ = machine.pageListed(version: "7", continueToken: nil, draw: 0)
        machine.watchOpened(now: start)
        _ = machine.received(.applied(version: "8"))
        #expect(machine.watchEnded(gone, now: start, draw: 0.5) == page(notOlderThan: "8"))
    }

    @Test(arguments: ["Expired", "Gone"]) func `2 410 as an event ends the watch and relists`(reason: String) {
        var machine = watching()
        let failure = WatchStateMachine.Failure.status(APIStatus(code: 410, reason: reason))
        #expect(machine.received(.error(APIStatus(code: 410, reason: reason))) == .end(failure))
        #expect(machine.watchEnded(failure, now: start, draw: 0) == page(notOlderThan: "5"))
    }

    @Test func `3 a version that is too large is given up`() {
        var machine = watching()
        #expect(machine.watchEnded(tooLarge, now: start, draw: 0) == page())
        machine = watching()
        _ = machine.watchEnded(gone, now: start, draw: 0)
        #expect(machine.listFailed(tooLarge, draw: 0) == page())
    }

    @Test func `4 a 410 on a continue token restarts the list`() {
        var machine = paged()
        _ = machine.begin(draw: 0)
        _ = machine.pageListed(version: "5", continueToken: "t1", draw: 0)
        #expect(machine.listFailed(gone, draw: 0.5) == .wait(.milliseconds(400)))
        #expect(machine.waited(draw: 0) == page())
    }

    // MARK: - 5, 6

    @Test func `5 a bookmark moves the version and delivers nothing`() {
        var machine = watching()
        #expect(machine.received(.bookmark(version: "9", endsInitialEvents: false)) == .ignore)
        #expect(machine.watchEnded(nil, now: start + .seconds(300), draw: 0) == watch(after: "9"))
    }

    @Test func `5 without bookmarks the last event's version counts`() {
        var machine = watching()
        #expect(machine.received(.applied(version: "8")) == .deliver)
        #expect(machine.received(.deleted(version: "9")) == .deliver)
        #expect(machine.watchEnded(nil, now: start + .seconds(300), draw: 0) == watch(after: "9"))
    }

    @Test func `6 a streaming list is synced at the marked bookmark`() {
        var machine = WatchStateMachine()
        #expect(machine.begin(draw: 0) == stream())
        machine.watchOpened(now: start)
        #expect(machine.received(.applied(version: "3")) == .deliver)
        #expect(machine.received(.bookmark(version: "4", endsInitialEvents: false)) == .ignore)
        #expect(machine.isReceivingList)
        #expect(machine.received(.bookmark(version: "5", endsInitialEvents: true)) == .synced)
        #expect(!machine.isReceivingList)
        #expect(machine.watchEnded(nil, now: start + .seconds(300), draw: 0) == watch(after: "5"))
    }

    @Test func `6 the query of a streaming list`() {
        let query = WatchQuery(start: .list(notOlderThan: nil), timeoutSeconds: 300)
        #expect(
            query.parameters.map { "\($0.name)=\($0.value)" } == [
                "watch=true", "allowWatchBookmarks=true", "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan",
                "timeoutSeconds=300",
            ])
    }

    @Test(arguments: [400, 403, 422]) func `6 an old server gets lists in pages from then on`(code: Int) {
        var machine = WatchStateMachine()
        _ = machine.begin(draw: 0)
        #expect(machine.watchEnded(.status(APIStatus(code: code)), now: start, draw: 0) == page())
        _ = machine.pageListed(version: "5", continueToken: nil, draw: 0)
        machine.watchOpened(now: start)
        #expect(machine.watchEnded(gone, now: start, draw: 0) == page(notOlderThan: "5"))
    }

    @Test func `6 without the end of the initial events the deadline falls back`() {
        var machine = WatchStateMachine()
        _ = machine.begin(draw: 0)
        machine.watchOpened(now: start)
        _ = machine.received(.applied(version: "3"))
        #expect(machine.watchEnded(.deadline, now: start + .seconds(30), draw: 0) == page())
    }

    @Test func `6 a streaming list that breaks off begins again, and in pages after the third time`() {
        var machine = WatchStateMachine()
        _ = machine.begin(draw: 0)
        for _ in 0..<2 {
            _ = machine.watchEnded(.transport, now: start, draw: 0)
            #expect(machine.waited(draw: 0) == stream())
        }
        _ = machine.watchEnded(nil, now: start, draw: 0)
        #expect(machine.waited(draw: 0) == page())
    }

    // MARK: - 7

    @Test(arguments: [(0.0, 300), (0.5, 450), (0.999, 599)]) func `7 a watch asks for 5 to 10 minutes`(draw: Double, seconds: Int)
    {
        var machine = paged()
        _ = machine.begin(draw: 0)
        #expect(machine.pageListed(version: "5", continueToken: nil, draw: draw) == watch(after: "5", timeout: seconds))
    }

    @Test func `7 the end of a watch is no error`() {
        var machine = watching()
        #expect(machine.watchEnded(nil, now: start + .seconds(2), draw: 1) == watch(after: "5", timeout: 600))
    }

    @Test func `7 short watches without an event count for the backoff, and several in a row relist`() {
        var machine = watching()
        for bound in [800, 1600] {
            #expect(machine.watchEnded(nil, now: start + .milliseconds(900), draw: 1) == .wait(.milliseconds(bound)))
            #expect(machine.waited(draw: 0) == watch(after: "5", timeout: 600))
            machine.watchOpened(now: start)
        }
        #expect(machine.watchEnded(nil, now: start + .milliseconds(900), draw: 1) == .wait(.milliseconds(3200)))
        #expect(machine.waited(draw: 0) == page(notOlderThan: "5"))
    }

    @Test func `7 a short watch with an event is none of these`() {
        var machine = watching()
        for _ in 0..<5 {
            _ = machine.received(.applied(version: "6"))
            #expect(machine.watchEnded(nil, now: start, draw: 0) == watch(after: "6"))
            machine.watchOpened(now: start)
        }
    }

    // MARK: - 8

    @Test func `8 the backoff doubles from 0,8 s to 30 s with full jitter`() {
        var backoff = Backoff()
        let bounds = [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]
        #expect(bounds.map { _ in backoff.failed(draw: 1) } == bounds.map { .milliseconds($0) })
        #expect(backoff.failed(draw: 0) == .zero)
        #expect(backoff.failed(draw: 0.5) == .seconds(15))
    }

    @Test func `8 two minutes of health reset the backoff, less do not`() {
        var machine = watching()
        _ = machine.watchEnded(.transport, now: start, draw: 1)
        _ = machine.waited(draw: 0)
        machine.watchOpened(now: start)
        #expect(machine.watchEnded(.transport, now: start + .seconds(119), draw: 1) == .wait(.milliseconds(1600)))
        _ = machine.waited(draw: 0)
        machine.watchOpened(now: start)
        #expect(machine.watchEnded(.transport, now: start + .seconds(120), draw: 1) == .wait(.milliseconds(800)))
    }

    @Test func `8 429 honours Retry-After, keeps the version and does not relist`() {
        let busy = WatchStateMachine.Failure.status(APIStatus(code: 429, retryAfterSeconds: 7))
        var machine = watching()
        _ = machine.received(.applied(version: "6"))
        #expect(machine.watchEnded(busy, now: start, draw: 0) == .wait(.seconds(7)))
        #expect(machine.waited(draw: 0) == watch(after: "6"))
        #expect(machine.relists == 0)
        machine = paged()
        _ = machine.begin(draw: 0)
        _ = machine.pageListed(version: "5", continueToken: "t", draw: 0)
        #expect(machine.listFailed(busy, draw: 0) == .wait(.seconds(7)))
        #expect(machine.waited(draw: 0) == page(after: "t"))
        let absurd = WatchStateMachine.Failure.status(APIStatus(code: 429, retryAfterSeconds: .max))
        #expect(machine.listFailed(absurd, draw: 0) == .wait(.seconds(300)))
    }

    @Test(arguments: [401, 403, 404, 500, 503]) func `8 other failures are tried again from the same version`(code: Int) {
        var machine = watching()
        #expect(machine.watchEnded(.status(APIStatus(code: code)), now: start, draw: 0.5) == .wait(.milliseconds(400)))
        #expect(machine.waited(draw: 0) == watch(after: "5", timeout: 450))
    }

    // MARK: - 9, 10

    @Test func `9 unknown events are ignored and keep the version`() {
        var machine = watching()
        #expect(machine.received(.unknown) == .ignore)
        #expect(machine.received(.applied(version: "")) == .deliver)
        #expect(machine.watchEnded(nil, now: start + .seconds(9), draw: 0) == watch(after: "5"))
    }

    @Test func `9 an event that can't be read leads to a list, not to itself`() {
        var machine = watching()
        _ = machine.watchEnded(.unreadable, now: start, draw: 0)
        #expect(machine.waited(draw: 0) == page(notOlderThan: "5"))
    }

    @Test func `10 the watchdog allows the timeout and some slack, then watches from the same version`() {
        var machine = watching()
        let query = WatchQuery(start: .changes(after: "5"), timeoutSeconds: 300)
        #expect(machine.deadlines(of: query).whole == .seconds(330))
        #expect(machine.deadlines(of: query).initialEvents == nil)
        #expect(machine.watchEnded(.deadline, now: start + .seconds(330), draw: 0) == .wait(.zero))
        #expect(machine.waited(draw: 0) == watch(after: "5"))
    }

    @Test func `10 after a broken connection the watch resumes from the last version`() {
        var machine = watching()
        _ = machine.received(.applied(version: "8"))
        _ = machine.watchEnded(.transport, now: start, draw: 0)
        #expect(machine.waited(draw: 0) == watch(after: "8"))
    }
}
