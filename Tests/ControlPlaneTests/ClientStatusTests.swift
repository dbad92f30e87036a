import Domain
import EnvoyAPI
import GRPC
import Kubernetes
import Logging
import RPCTestClient
import SwiftProtobuf
import Testing
import Translation
import Transport

@testable import ControlPlane

/// The client status service as a client sees it, over loopback.
@Suite struct ClientStatusTests {
    private static let fetch = ClientStatusStream.Method.fetch.rawValue
    private static let stream = ClientStatusStream.Method.stream.rawValue

    private static func emptyCache() -> SnapshotCache {
        let (changed, resolved) = (Bell(), Bell())
        let resolver = EndpointResolver(
            virtualServices: VirtualServiceWatcher(bell: changed), pods: PodWatcher(bell: changed), crossesNamespaces: false,
            changed: changed, resolved: resolved)
        return SnapshotCache(
            resolver: resolver, resolved: resolved, translator: Translator(), readiness: Readiness(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func ask(_ stream: TestStream, _ fill: (inout Envoy_Service_Status_V3_ClientStatusRequest) -> Void = { _ in })
        async throws
    {
        var request = Envoy_Service_Status_V3_ClientStatusRequest()
        fill(&request)
        let bytes: [UInt8] = try request.serializedBytes()
        await stream.client.perform { [id = stream.id] in $0.send(id, bytes) }
    }

    private func answer(_ stream: TestStream, _ number: Int) async throws -> [Envoy_Service_Status_V3_ClientConfig] {
        try await stream.client.until { [id = stream.id] in ($0.session.streams[id]?.messages.count ?? 0) > number }
        let bytes = await stream.client.perform { [id = stream.id] in $0.streams[id]?.messages[number] ?? [] }
        return try Envoy_Service_Status_V3_ClientStatusResponse(serializedBytes: bytes).config
    }

    @Test func everyStreamOfEveryLoopIsToldOf() async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000)], (0..<20).map { envoyPod("e\($0)") })
            var streams: [TestStream] = []
            for number in 0..<20 {
                let stream = try await plane.connect()
                try await stream.send(listenerType, node: "uid-e\(number)")
                let nonce = try await stream.response(0).nonce
                try await stream.send(listenerType) { $0.responseNonce = nonce }
                streams.append(stream)
            }
            let status = try await plane.connect(Self.stream)
            try await ask(status)
            let all = try await answer(status, 0)
            #expect(all.map(\.node.id) == (0..<20).map { "uid-e\($0)" }.sorted())
            #expect(all.allSatisfy { $0.genericXdsConfigs.map(\.name) == ["l-a"] })
            #expect(all.allSatisfy { $0.clientScope.contains("aggregated discovery, delta, from 127.0.0.1:") })
            try await ask(status) { $0.nodeMatchers = [.with { $0.nodeID.exact = "uid-e7" }] }
            #expect(try await answer(status, 1).map(\.node.id) == ["uid-e7"])
            // A stream that ends is not told of any more.
            await streams[7].client.close()
            var left = 1
            for number in 2..<200 where left > 0 {
                try await ask(status) { $0.nodeMatchers = [.with { $0.nodeID.exact = "uid-e7" }] }
                left = try await answer(status, number).count
            }
            #expect(left == 0)
        }
    }

    @Test func requestsOnOneStreamAreAnsweredInOrderAndHalfCloseEndsIt() async throws {
        try await TestPlane.with { plane in
            await plane.sync([], [envoyPod("e")])
            let envoy = try await plane.connect()
            try await envoy.send(listenerType, node: "uid-e")
            _ = try await envoy.response(0)
            let status = try await plane.connect(Self.stream)
            for name in ["uid-e", "nobody", "uid-e"] {
                try await ask(status) { $0.nodeMatchers = [.with { $0.nodeID.exact = name }] }
            }
            await status.client.perform { [id = status.id] in $0.end(id) }
            #expect(try await status.status() == "0")
            var counts: [Int] = []
            for number in 0..<3 { counts.append(try await answer(status, number).count) }
            #expect(counts == [1, 0, 1])
        }
    }

    @Test(arguments: [stream, fetch]) func whatCannotBeMatchedIsRefused(path: String) async throws {
        try await TestPlane.with { plane in
            await plane.sync()
            let status = try await plane.connect(path)
            try await ask(status) { $0.nodeMatchers = [.with { $0.nodeMetadatas = [.init()] }] }
            #expect(try await status.status() == "\(Status.Code.invalidArgument.rawValue)")
        }
    }

    @Test func aFetchWithoutARequestIsRefused() async throws {
        try await TestPlane.with { plane in
            let status = try await plane.connect(Self.fetch)
            await status.client.perform { [id = status.id] in $0.end(id) }
            #expect(try await status.status() == "\(Status.Code.invalidArgument.rawValue)")
        }
    }

    /// The answer about more than fits is a refusal that says what to ask instead; what is asked instead is answered.
    @Test func anAnswerIsBounded() async throws {
        try await TestPlane.with(statusAnswerLimit: 16 << 10) { plane in
            await plane.sync(try (0..<10).map { try call("a\($0)", port: 1000 + $0) }, (0..<20).map { envoyPod("e\($0)") })
            for number in 0..<20 {
                let stream = try await plane.connect()
                try await stream.send(clusterType, node: "uid-e\(number)")
                #expect(try await stream.response(0).resources.count == 10)
            }
            let all = try await plane.connect(Self.fetch)
            try await ask(all)
            #expect(try await all.status() == "\(Status.Code.resourceExhausted.rawValue)")
            let message = await all.client.perform { [id = all.id] in $0.streams[id]?.value("grpc-message") } ?? ""
            #expect(message.contains("20 streams"), "\(message)")
            #expect(message.contains("exclude_resource_contents"), "\(message)")
            let one = try await plane.connect(Self.fetch)
            try await ask(one) { $0.nodeMatchers = [.with { $0.nodeID.exact = "uid-e7" }] }
            #expect(try await answer(one, 0).map(\.genericXdsConfigs.count) == [10])
        }
    }

    /// A client that asks and does not read is sent one answer, and may have so many requests waiting.
    @Test func aClientThatDoesNotReadIsBounded() async throws {
        let loop = try EventLoop(name: "test")
        let desk = ClientStatusDesk(broadcasters: [], cache: Self.emptyCache(), answerLimit: 1 << 20)
        let responder = IdleResponder(loop)
        let stream = ClientStatusStream(.stream, responder: responder, loop: loop, desk: desk)
        await withTaskGroup { group in
            group.addTask { await desk.run() }
            await loop.perform { stream.received([]) }
            await responder.first.wait()
            await loop.perform { for _ in 0..<16 { stream.received([]) } }
            #expect(await loop.perform { responder.status } == nil)
            await loop.perform { stream.received([]) }
            #expect(await loop.perform { responder.status?.code } == .resourceExhausted)
            #expect(await loop.perform { responder.sent } == 1)
            group.cancelAll()
        }
    }

    @Test func unreadAnswersOfAllClientsHaveOneBudget() {
        let budget = UnreadBudget(limit: 10)
        #expect(budget.take(6))
        #expect(!budget.take(5))
        #expect(budget.take(4))
        budget.giveBack(6)
        #expect(budget.take(5))
    }

    @Test(arguments: [
        ("exact", "abc", false, true), ("exact", "ABC", true, true), ("exact", "ab", false, false), ("prefix", "ab", false, true),
        ("prefix", "bc", false, false), ("suffix", "bc", false, true), ("suffix", "ab", false, false),
        ("contains", "b", false, true),
        ("contains", "", false, true), ("contains", "x", false, false),
    ])
    func patternsFitNodeIDs(kind: String, text: String, ignoresCase: Bool, fits: Bool) throws {
        let matcher = Envoy_Type_Matcher_V3_NodeMatcher.with {
            $0.nodeID.ignoreCase = ignoresCase
            switch kind {
            case "exact": $0.nodeID.exact = text
            case "prefix": $0.nodeID.prefix = text
            case "suffix": $0.nodeID.suffix = text
            default: $0.nodeID.contains = text
            }
        }
        #expect(try NodeFilter([matcher]).includes("abc") == fits)
        #expect(try NodeFilter([matcher, .with { $0.nodeID.exact = "abc" }]).includes("abc"))
    }

    @Test func noMatcherMeansAll() throws { #expect(try NodeFilter([]).includes("whoever")) }

    @Test func aMatcherWithoutAPatternIsRefused() {
        #expect(throws: NodeFilter.Unsupported.self) { try NodeFilter([.init()]) }
        #expect(throws: NodeFilter.Unsupported.self) {
            try NodeFilter(Array(repeating: .with { $0.nodeID.exact = "a" }, count: 257))
        }
    }
}
