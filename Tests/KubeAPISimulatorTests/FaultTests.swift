import FoundationEssentials
import KubeAPISimulator
import TestKit
import Testing

struct FaultTests {
    private let simulator: KubeAPISimulator

    init() throws {
        simulator = try startSimulator()
        try simulator.create(pod("a"))
    }

    private func list() throws -> StreamClient { try StreamClient(simulator.address, pods, headers: ["Connection": "close"]) }

    private func openWatch() async throws -> StreamClient {
        let client = try StreamClient(simulator.address, pods + "?watch=true&allowWatchBookmarks=true")
        try await client.wait(for: "ADDED")
        return client
    }

    @Test(arguments: [
        (StatusError.gone, 410), (.internalError, 500), (.unavailable, 503), (.tooManyRequests(retryAfter: 7), 429),
    ])
    func failsAsOftenAsTold(error: StatusError, code: Int) async throws {
        simulator.inject(Fault(.fail(error), on: RequestMatch(verb: "list", resource: "pods"), times: 2))
        for _ in 0..<2 {
            let text = try await list().waitForClose()
            #expect(text.hasPrefix("HTTP/1.1 \(code) "))
            if code == 429 { #expect(text.contains("Retry-After: 7\r\n")) }
        }
        #expect(try await list().waitForClose().hasPrefix("HTTP/1.1 200 "))
        #expect(simulator.requests.value.count(verb: "list", resource: "pods", status: code) == 2)
    }

    @Test func sparesOtherClients() async throws {
        simulator.inject(Fault(.fail(.internalError), on: RequestMatch(userAgent: "victim"), times: nil))
        #expect(try await list().waitForClose().hasPrefix("HTTP/1.1 200 "))
        let victim = try StreamClient(simulator.address, pods, headers: ["User-Agent": "the-victim/1", "Connection": "close"])
        #expect(try await victim.waitForClose().hasPrefix("HTTP/1.1 500 "))
    }

    @Test(arguments: [Fault.Action.close, .reset])
    func closesWithoutAnAnswer(action: Fault.Action) async throws {
        simulator.inject(Fault(action))
        #expect(try await list().waitForClose().isEmpty)
    }

    @Test func breaksOffInAChunk() async throws {
        simulator.inject(Fault(.truncate(after: 10)))
        let text = try await list().waitForClose()
        #expect(text.contains("Transfer-Encoding: chunked"))
        #expect(text.components(separatedBy: "\r\n\r\n").last?.split(separator: "\r\n").last?.count == 10)
    }

    @Test func sendsAByteAChunk() async throws {
        simulator.inject(Fault(.trickle(bytes: 1)))
        let text = try await list().waitForClose()
        #expect(text.contains("\r\n1\r\n{\r\n1\r\n\"\r\n1\r\nk\r\n"))
        #expect(text.hasSuffix("\r\n0\r\n\r\n"))
    }

    @Test func hangsWithoutClosing() async throws {
        simulator.inject(Fault(.hang, on: RequestMatch(verb: "list")))
        let hanging = try list()
        _ = try await simulator.requests.wait(for: "the list", within: .seconds(10)) { $0.count(verb: "list") == 1 ? true : nil }
        // Another connection is served meanwhile.
        #expect(try await list().waitForClose().hasPrefix("HTTP/1.1 200 "))
        #expect(hanging.answer.value.bytes.isEmpty && !hanging.answer.value.isClosed)
    }

    @Test func delays() async throws {
        simulator.inject(Fault(.delay(.milliseconds(300))))
        let start = ContinuousClock.now
        #expect(try await list().waitForClose().hasPrefix("HTTP/1.1 200 "))
        #expect(ContinuousClock.now - start >= .milliseconds(290))
    }

    @Test(arguments: [(WatchDisturbance.expire, "\"code\":410"), (.end, "0\r\n\r\n"), (.bookmark, "BOOKMARK")])
    func disturbsWatches(disturbance: WatchDisturbance, seen: String) async throws {
        let client = try await openWatch()
        try await simulator.disturbWatches(of: "pods", disturbance)
        try await client.wait(for: seen)
    }

    @Test(arguments: [WatchDisturbance.close, .reset, .truncate])
    func breaksWatches(disturbance: WatchDisturbance) async throws {
        let client = try await openWatch()
        try await simulator.disturbWatches(of: "pods", disturbance)
        let text = try await client.waitForClose()
        #expect(!text.hasSuffix("0\r\n\r\n"))
        #expect(simulator.requests.value.openWatches["pods"] == 0)
    }

    @Test func silencesWatches() async throws {
        let silent = try await openWatch()
        try await simulator.disturbWatches(of: "pods", .silence)
        let other = try await openWatch()
        try simulator.create(pod("b"))
        try await other.wait(for: "\"name\":\"b\"")
        #expect(!silent.answer.value.text.contains("\"name\":\"b\"") && !silent.answer.value.isClosed)
    }

    @Test func restartsWithItsObjects() async throws {
        let client = try await openWatch()
        try await simulator.restart(losingHistory: true)
        _ = try await client.waitForClose()
        #expect(try await list().waitForClose().contains("\"name\":\"a\""))
    }

    @Test func goesDownAndComesBackOnItsPort() async throws {
        try await simulator.goDown()
        #expect(throws: (any Error).self) { try list() }
        try await simulator.comeBack()
        #expect(try await list().waitForClose().hasPrefix("HTTP/1.1 200 "))
    }

    @Test func skewsItsClock() throws {
        simulator.setClockSkew(.seconds(-86_400 * 365 * 10))
        let time = try simulator.create(pod("old"))["metadata", "creationTimestamp"]?.text ?? ""
        let present = simulator.get("Pod", "a")?["metadata", "creationTimestamp"]?.text ?? ""
        #expect(!time.isEmpty && time < present)
    }
}
