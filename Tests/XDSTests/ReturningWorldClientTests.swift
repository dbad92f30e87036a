import Domain
import Testing

@testable import XDS

/// A state-of-the-world client that was away while objects changed: in which order it is told.
@Suite struct ReturningWorldClientTests {
    private static let loop = LoopID(0)
    private static let stream = StreamID(1)

    private struct World {
        var fanOut = FanOut()
        var machine = WorldDiscoveryStateMachine()
        var envoy = SimulatedWorldEnvoy()
        let selected: ScopedSelector
        /// What was sent on the present stream, as `cluster a b`.
        var sent: [String] = []
        private var request = LoopRequest()
        private var toServer: [WorldRequest] = []

        init() throws {
            selected = try selector(["app": "envoy"])
            start()
        }

        private mutating func start() {
            fanOut.setNode(NodeChange(key: key("pod"), uid: "", selectors: [selected]))
            _ = fanOut.commit(synced: true)
        }

        /// Replaces all objects: each name is a listener, on the port, with its cluster.
        mutating func apply(_ listeners: [(name: String, port: Int, cluster: String)]) throws {
            let units = try listeners.map { try unit($0.name, port: $0.port, cluster: $0.cluster) }
            fanOut.setFragment(fragment("s", selected, units))
            _ = fanOut.commit(synced: true)
        }

        mutating func restartServer() {
            fanOut = FanOut()
            start()
        }

        /// The client opens a stream, and sends so many of its first requests.
        mutating func connect(requests limit: Int = .max) {
            machine = WorldDiscoveryStateMachine()
            request = LoopRequest()
            request.detached = [stream]
            _ = fanOut.serve(loop, request)
            request = LoopRequest()
            request.attached = [(stream, "default/pod")]
            sent = []
            toServer = []
            let first = envoy.connect()
            for message in first.prefix(limit) { perform(machine.received(message)) }
            toServer = Array(first.dropFirst(limit))
        }

        /// Lets both sides talk until they have nothing to say; what the client held back at the beginning is not said.
        mutating func talk() {
            let heldBack = toServer
            toServer = []
            while true {
                let batch = request
                request = LoopRequest()
                let reply = fanOut.serve(loop, batch)
                for (_, position) in reply.assignments { perform(machine.assigned(position)) }
                for update in reply.updates { perform(machine.updated(update)) }
                for (_, results) in reply.answers { perform(machine.answered(results)) }
                while !toServer.isEmpty { perform(machine.received(toServer.removeFirst())) }
                if request.isEmpty { break }
            }
            toServer = heldBack
        }

        /// The client says what it held back.
        mutating func goOn() {
            let messages = toServer
            toServer = []
            for message in messages { perform(machine.received(message)) }
        }

        mutating func elapse() { perform(machine.graceElapsed()) }

        private mutating func perform(_ actions: [DeltaAction]) {
            for action in actions {
                switch action {
                case .send(let head, let body):
                    let response = DecodedWorldResponse(head + body)
                    let names = response.payloads.map {
                        $0.contains("=") ? String($0.prefix { $0 != "=" }) : "(\($0.dropFirst(2)))"
                    }
                    let type = ResourceType(typeURL: response.typeURL).map { "\($0)" } ?? response.typeURL
                    sent.append(([type] + names).joined(separator: " "))
                    toServer += envoy.receive(head + body)
                case .fetch(let fetch):
                    guard let group = fanOut.group(ofNodeID: "default/pod") else { continue }
                    if let index = request.fetches.indices.last {
                        request.fetches[index].fetches.append(fetch)
                    } else {
                        request.fetches = [(stream, group, [fetch])]
                    }
                case .release, .rejected, .resync: break
                }
            }
        }

        private var loop: LoopID { ReturningWorldClientTests.loop }
        private var stream: StreamID { ReturningWorldClientTests.stream }
    }

    private static let two = [(name: "k", port: 1, cluster: "keep"), (name: "l", port: 2, cluster: "old")]

    /// A client with listeners `k` and `l`, which use clusters `keep` and `old`, went away.
    private func world() throws -> World {
        var world = try World()
        try world.apply(Self.two)
        world.connect()
        world.talk()
        #expect(world.envoy.versions[.listener]?.keys.sorted() == ["k", "l"])
        return world
    }

    private func expectHealth(_ world: World, listeners: [String], clusters: [String]) {
        #expect(world.envoy.faults == [])
        #expect(world.envoy.versions[.listener]?.keys.sorted() == listeners)
        #expect(world.envoy.versions[.cluster]?.keys.sorted() == clusters)
    }

    @Test func clustersThatAreRememberedStayUntilTheListenersHaveMoved() throws {
        var world = try world()
        try world.apply([("k", 1, "keep"), ("l", 2, "new")])
        world.connect()
        world.talk()
        #expect(world.sent.prefix(4) == ["cluster keep new old", "endpoint keep", "listener k l", "cluster keep new"])
        expectHealth(world, listeners: ["k", "l"], clusters: ["keep", "new"])
    }

    @Test func endpointsTellWhatTheClientHadWhenItsVersionIsNotKnown() throws {
        var world = try world()
        try world.apply([("k", 1, "keep"), ("l", 2, "new")])
        world.connect()
        // The version that is claimed next was never the snapshot's: it has both.
        world.talk()
        try world.apply([("k", 1, "keep"), ("m", 3, "other")])
        world.connect()
        world.talk()
        #expect(world.sent.first == "cluster keep new other")
        expectHealth(world, listeners: ["k", "m"], clusters: ["keep", "other"])
    }

    @Test func afterARestartListenersThatNeedNothingNewGoFirst() throws {
        var world = try world()
        world.restartServer()
        try world.apply([("l", 2, "keep")])
        world.connect()
        world.talk()
        #expect(world.sent.prefix(3) == ["listener l", "cluster keep", "endpoint keep"])
        expectHealth(world, listeners: ["l"], clusters: ["keep"])
    }

    @Test func afterARestartNothingIsTakenBeforeTheListenersAreAskedFor() throws {
        var world = try world()
        world.restartServer()
        try world.apply([("k", 1, "keep")])
        world.connect(requests: 2)
        world.talk()
        #expect(world.sent == ["endpoint keep"])
        world.goOn()
        world.talk()
        #expect(world.sent.dropFirst() == ["listener k", "cluster keep", "endpoint keep"])
        expectHealth(world, listeners: ["k"], clusters: ["keep"])
    }

    @Test func whoAsksForNoListenersHasNoneThatNeedOldClusters() throws {
        var world = try world()
        world.restartServer()
        try world.apply([("k", 1, "keep")])
        world.connect(requests: 2)
        world.talk()
        world.elapse()
        world.talk()
        #expect(world.sent == ["endpoint keep", "cluster keep", "endpoint keep"])
    }

    /// What can't be helped: the old cluster is not remembered, and the new listener needs a new one.
    @Test func afterARestartNewClustersGoBeforeListenersAllTheSame() throws {
        var world = try world()
        world.restartServer()
        try world.apply([("k", 1, "keep"), ("l", 2, "new")])
        world.envoy.excusesFirstAnswer = true
        world.connect()
        world.talk()
        #expect(world.sent.prefix(3) == ["cluster keep new", "endpoint keep", "listener k l"])
        expectHealth(world, listeners: ["k", "l"], clusters: ["keep", "new"])
    }

    /// Off ADS nothing is known of listeners: clusters are not kept back for them.
    @Test func aStreamOfClustersAloneIsAnsweredAtOnce() throws {
        var machine = WorldDiscoveryStateMachine(isAggregated: false)
        var store = SnapshotStore()
        let selected = try selector(["app": "envoy"])
        store.setNode(key("pod"), selectors: [selected])
        store.setFragment(fragment("s", selected, [try unit("k", port: 1)]))
        _ = store.commit()
        let group = try #require(store.group(of: key("pod")))
        _ = machine.assigned(try #require(store.position(of: group)))
        let actions = machine.received(WorldRequest(typeURL: ResourceType.cluster.typeURL, version: "another process's"))
        let results = actions.compactMap { action -> FetchResult? in
            if case .fetch(let fetch) = action { store.answer(fetch, in: group) } else { nil }
        }
        let sent = machine.answered(results).count {
            if case .send = $0 { true } else { false }
        }
        #expect(sent == 1)
    }
}
