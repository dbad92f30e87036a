import Domain
import KubeAPISimulator
import Kubernetes
import KubernetesClient
import Logging
import TestKit
import Testing

/// Whatever an API server does, what a watch has told adds up to what there is (docs/kubernetes-client.md, lines 1 to 11).
@Suite(.timeLimit(.minutes(3))) struct SimulatedServerTests {
    /// Something that goes wrong while objects change.
    struct Trouble: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var prefersStreamingList = true
        /// Whether the list must be made again, mustn't be, or may be.
        var relists: Bool?
        /// The way in which a watch or a list fails; nil when none does.
        var error: WatchError?
        /// How long watches are asked for.
        var timeout = Duration.seconds(60)
        /// Before the source begins.
        var prepare: @Sendable (KubeAPISimulator) -> Void = { _ in }
        /// After its first list.
        var happen: @Sendable (KubeAPISimulator) async throws -> Void = { _ in }
    }

    private static let watches = RequestMatch(verb: "watch", resource: "pods")
    private static let tooLarge = StatusError(
        504, "Timeout", "Too large resource version: 99, current: 9",
        details: ["causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]]])

    private static func disturb(_ disturbance: WatchDisturbance) -> @Sendable (KubeAPISimulator) async throws -> Void {
        { try await $0.disturbWatches(of: "pods", disturbance) }
    }

    /// The next watch is answered by `error`.
    private static func refuse(_ error: StatusError) -> @Sendable (KubeAPISimulator) async throws -> Void {
        { api in
            api.inject(Fault(.fail(error), on: watches))
            try await api.disturbWatches(of: "pods", .close)
        }
    }

    static let troubles = [
        Trouble(testDescription: "1 nothing, by a streaming list", relists: false),
        Trouble(testDescription: "1 nothing, by a list in pages", prefersStreamingList: false, relists: false),
        Trouble(testDescription: "2 410 as an event", relists: true, error: .expired, happen: disturb(.expire)),
        Trouble(testDescription: "2 410 as a status", relists: true, error: .expired, happen: refuse(.gone)),
        Trouble(
            testDescription: "2 the history is compacted during a break", relists: true, error: .expired,
            happen: { api in
                try await api.goDown()
                try api.delete("Pod", "p3")
                try await api.comeBack(losingHistory: true)
            }),
        Trouble(
            testDescription: "3 the version is too large for the relist", prefersStreamingList: false, relists: true,
            error: .expired,
            happen: { api in
                api.inject(Fault(.fail(tooLarge), on: RequestMatch(verb: "list", resource: "pods")))
                try await api.disturbWatches(of: "pods", .expire)
            }),
        Trouble(
            testDescription: "5 a bookmark, then a break", relists: false,
            happen: { api in
                api.advanceResourceVersion(by: 10)
                try await api.disturbWatches(of: "pods", .bookmark)
                try await api.disturbWatches(of: "pods", .close)
            }),
        Trouble(
            testDescription: "5 6 no bookmarks at all, so no end of the streaming list", relists: false, error: .deadline,
            prepare: { $0.setBookmarks(enabled: false) }, happen: disturb(.close)),
        Trouble(
            testDescription: "6 streaming lists are refused with 400", relists: false,
            prepare: { $0.refuseStreamingLists(with: 400) }),
        Trouble(
            testDescription: "6 streaming lists are refused with 422", relists: false,
            prepare: { $0.refuseStreamingLists(with: 422) }),
        Trouble(testDescription: "7 the watch ends", relists: false, happen: disturb(.end)),
        Trouble(
            testDescription: "8 429 with Retry-After", relists: false, error: .throttled,
            happen: refuse(.tooManyRequests(retryAfter: 1))),
        Trouble(testDescription: "8 500", relists: false, error: .server, happen: refuse(.internalError)),
        Trouble(testDescription: "8 503", relists: false, error: .server, happen: refuse(.unavailable)),
        Trouble(
            testDescription: "9 deletions during a break", relists: false, error: .transport,
            happen: { api in
                try await api.goDown()
                try api.delete("Pod", "p3")
                try await api.comeBack()
            }),
        Trouble(
            testDescription: "10 half-open", relists: false, error: .deadline, timeout: .seconds(3), happen: disturb(.silence)),
        Trouble(testDescription: "10 a reset", relists: false, error: .transport, happen: disturb(.reset)),
        Trouble(testDescription: "10 a restart", relists: false, happen: { try await $0.restart() }),
        Trouble(testDescription: "11 a truncated chunk", relists: false, error: .transport, happen: disturb(.truncate)),
        Trouble(testDescription: "11 a byte a chunk", relists: false, happen: disturb(.trickle)),
        Trouble(
            testDescription: "11 a list of a byte a chunk", prefersStreamingList: false, relists: false,
            prepare: { $0.inject(Fault(.trickle(bytes: 1), on: RequestMatch(verb: "list", resource: "pods"))) }),
        Trouble(
            testDescription: "11 a list that breaks off", prefersStreamingList: false, relists: false, error: .transport,
            prepare: { $0.inject(Fault(.truncate(after: 100), on: RequestMatch(verb: "list", resource: "pods"))) }),
    ]

    @Test(arguments: troubles) func whatIsToldAddsUp(_ trouble: Trouble) async throws {
        let api = try KubeAPISimulator()
        trouble.prepare(api)
        for number in 0..<5 { try api.create(Self.pod("p\(number)")) }
        let metrics = WatchMetrics(resource: "pods")
        let state = State()
        let source = try source(api, trouble, state, metrics)
        try await withThrowingTaskGroup { group in
            group.addTask { try await source.run() }
            defer { group.cancelAll() }
            try await state.await(api)
            // Trouble must meet a watch.
            _ = try await api.requests.wait(for: "a watch", within: .seconds(30)) { $0.openWatches["pods"] == 1 ? true : nil }

            async let happened: Void = trouble.happen(api)
            // The same name with a new uid, a change, one that goes and one that comes.
            try api.delete("Pod", "p0", gracePeriodSeconds: 0)
            try api.create(Self.pod("p0"))
            try api.patch("Pod", "p1", ["metadata": ["labels": ["app": "other"]]])
            try api.delete("Pod", "p2", gracePeriodSeconds: 0)
            try await happened
            try api.create(Self.pod("p5"))
            try await state.await(api)
        }
        if let relists = trouble.relists { #expect((metrics.relists > 0) == relists) }
        if let error = trouble.error { #expect(metrics.errors(error) > 0) }
        // The last change came by a watch, which the server accepted, after a list that it completed.
        #expect(metrics.watchStarts > 0 && metrics.lists > 0 && metrics.events > 0)
        #expect(metrics.watchStarts >= metrics.watchEnds, "\(metrics.watchStarts) \(metrics.watchEnds)")
    }

    private func source(
        _ api: KubeAPISimulator, _ trouble: Trouble, _ state: State, _ metrics: WatchMetrics
    ) throws -> KubernetesSource<Pod> {
        var configuration = WatchStateMachine.Configuration()
        configuration.prefersStreamingList = trouble.prefersStreamingList
        configuration.pageLimit = 2
        configuration.initialEventsDeadline = .seconds(1)
        configuration.shortestTimeout = trouble.timeout
        configuration.watchdogSlack = .seconds(1)
        configuration.backoff.first = .milliseconds(20)
        let port = try #require(api.address.split(separator: ":").last.flatMap { UInt16($0) })
        let client = CurlAPIClient(
            cluster: ClusterConfiguration(server: ServerURL(scheme: "http", host: "127.0.0.1", port: port)), loop: try CurlLoop(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return KubernetesSource(
            kind: .pods, namespaces: [], client: client, receiver: state, verdicts: nil, metrics: metrics,
            configuration: configuration, time: SystemWatchTime(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func pod(_ name: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": .string(name), "namespace": "default", "labels": ["app": "worker"]],
            "spec": ["containers": [["name": "worker", "image": "worker:1"]]],
        ]
    }

    /// What the source has told, as a store has it.
    private struct State: WatchEventReceiver {
        let store = Observed(ObjectStore<Pod>())

        func receive(_ event: WatchEvent<Pod>) async { store.update { $0.apply(event) } }

        /// Waits until the store is what the server has.
        func await(_ api: KubeAPISimulator) async throws {
            _ = try await store.wait(for: "what the server has", within: .seconds(30)) { store in
                let there = Set(
                    api.list("Pod").map {
                        "\($0["metadata", "name"]?.text ?? "") \($0["metadata", "uid"]?.text ?? "") \($0["metadata", "labels", "app"]?.text ?? "")"
                    })
                let told = Set(
                    store.objects.values.map { "\($0.key.name) \($0.metadata.uid) \($0.labels["app"] ?? "")" })
                return store.hasSynced && told == there ? true : nil
            }
        }
    }
}
