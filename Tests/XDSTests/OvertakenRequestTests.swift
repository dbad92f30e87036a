import Domain
import Testing

@testable import XDS

/// Requests that come while the snapshot is being asked something for the stream: the answer is one to an earlier question.
@Suite struct OvertakenRequestTests {
    private struct Bench {
        var store = SnapshotStore()
        var machine = DeltaDiscoveryStateMachine()
        /// Questions that are not answered yet.
        var fetches: [Fetch] = []
        /// What was sent, and not answered.
        var sent: [DecodedResponse] = []
        let envoys: ScopedSelector
        let group: GroupID

        init(_ names: [String]) throws {
            envoys = try selector(["app": "envoy"])
            store.setNode(key("envoy"), selectors: [envoys])
            _ = store.commit()
            group = try #require(store.group(of: key("envoy")))
            for name in names { try publish(name) }
            perform(machine.assigned(try #require(store.position(of: group))))
        }

        mutating func publish(_ name: String, endpoints: String = "1") throws {
            store.setFragment(fragment(name, envoys, [try unit(name, port: 1 + name.count, endpoints: endpoints)]))
            try commit()
        }

        mutating func remove(_ name: String) throws {
            store.removeFragment(key(name))
            try commit()
        }

        private mutating func commit() throws {
            let before = try #require(store.position(of: group))
            _ = store.commit()
            if let update = store.update(of: group, from: before.revision) { perform(machine.updated(update)) }
        }

        mutating func request(
            _ type: ResourceType, subscribe: [String] = [], unsubscribe: [String] = [], nonce: String = "",
            rejection: String? = nil
        ) {
            var request = DeltaRequest(typeURL: type.typeURL, nonce: nonce, rejection: rejection)
            request.subscribe = subscribe
            request.unsubscribe = unsubscribe
            perform(machine.received(request))
        }

        /// Answers the questions there are, and not those that come of it.
        mutating func answer() {
            let asked = fetches
            fetches = []
            perform(machine.answered(asked.map { store.answer($0, in: group) }))
        }

        /// Answers everything, and acknowledges it; returns the names that the client was sent of a type since the last call.
        mutating func settle(_ type: ResourceType) -> [String] {
            var names: [String] = []
            while !fetches.isEmpty || !sent.isEmpty {
                while !fetches.isEmpty { answer() }
                for response in sent {
                    if response.typeURL == type.typeURL { names += response.resources.map(\.name) }
                    sent.removeFirst()
                    guard let type = ResourceType(typeURL: response.typeURL) else { continue }
                    request(type, nonce: response.nonce)
                }
            }
            return names
        }

        private mutating func perform(_ actions: [DeltaAction]) {
            for action in actions {
                switch action {
                case .send(let head, let body): sent.append(DecodedResponse(head + body))
                case .fetch(let fetch): fetches.append(fetch)
                default: break
                }
            }
        }
    }

    @Test(arguments: [ResourceType.cluster, .listener]) func everythingAskedForAfterOneNameIsSent(_ type: ResourceType) throws {
        var bench = try Bench(["a", "bb", "ccc"])
        let prefix = type == .cluster ? "c-" : ""
        bench.request(type, subscribe: ["\(prefix)a"])
        #expect(bench.fetches.count == 1)
        bench.request(type, subscribe: ["*"])
        #expect(Set(bench.settle(type)) == ["\(prefix)a", "\(prefix)bb", "\(prefix)ccc"])
        let isSettled = bench.machine.isSettled
        #expect(isSettled)
    }

    @Test func everythingAskedForAnewWhileAStepIsFetchedIsSent() throws {
        var bench = try Bench(["a", "bb"])
        bench.request(.listener)
        #expect(bench.settle(.listener).sorted() == ["a", "bb"])
        bench.request(.listener, subscribe: ["a"])
        #expect(bench.fetches.count == 1)
        bench.request(.listener, unsubscribe: ["*"])
        bench.request(.listener, subscribe: ["*"])
        #expect(Set(bench.settle(.listener)) == ["a", "bb"])
    }

    /// Envoy asks for the endpoints of all its clusters, so that the stream keeps no list of them.
    @Test func endpointsGivenUpWhileTheyAreFetchedAreNotSent() throws {
        var bench = try Bench(["a", "bb"])
        bench.request(.cluster)
        _ = bench.settle(.cluster)
        bench.request(.endpoint, subscribe: ["c-a", "c-bb"])
        #expect(bench.settle(.endpoint).sorted() == ["c-a", "c-bb"])
        bench.request(.endpoint, subscribe: ["c-a"])
        #expect(bench.fetches.count == 1)
        bench.request(.endpoint, unsubscribe: ["c-a"])
        #expect(bench.settle(.endpoint) == [])
        try bench.publish("a", endpoints: "2")
        #expect(bench.settle(.endpoint) == [])
        bench.request(.endpoint, subscribe: ["c-a"])
        #expect(bench.settle(.endpoint) == ["c-a"])
    }

    /// A cluster's endpoints become known to the stream as ones that nobody wants, by a step that began before they were asked for.
    @Test func endpointsAskedForDuringTheStepThatBringsThemAreSent() throws {
        var bench = try Bench(["a"])
        bench.request(.cluster)
        _ = bench.settle(.cluster)
        bench.request(.endpoint, subscribe: ["c-a"])
        #expect(bench.settle(.endpoint) == ["c-a"])
        // As many as may be unanswered.
        for number in 2...9 { try bench.publish("a", endpoints: "\(number)") }
        let unanswered = bench.sent
        #expect(unanswered.count == 8)
        bench.sent = []
        try bench.remove("a")
        try bench.publish("d")
        bench.request(.endpoint, nonce: unanswered[7].nonce)
        #expect(bench.fetches.contains { $0.type == .endpoint })
        bench.request(.endpoint, subscribe: ["c-d"], unsubscribe: ["c-a"])
        #expect(bench.settle(.endpoint).contains("c-d"))
        try bench.publish("d", endpoints: "2")
        #expect(bench.settle(.endpoint) == ["c-d"])
    }

    /// What was rejected beside a culprit is sent again; gone by then, it leaves after the listener that uses it.
    @Test func aClusterThatGoesWhileItIsSentAgainLeavesAfterItsListener() throws {
        var bench = try Bench([])
        bench.request(.cluster)
        bench.request(.listener)
        _ = bench.settle(.cluster)
        bench.store.setFragment(fragment("a", bench.envoys, [try unit("a", port: 1), try unit("bb", port: 2)]))
        try bench.publish("other")
        let clusters = try #require(bench.sent.first { $0.typeURL == ResourceType.cluster.typeURL })
        let listeners = try #require(bench.sent.first { $0.typeURL == ResourceType.listener.typeURL })
        bench.sent = []
        bench.request(.listener, nonce: listeners.nonce)
        bench.request(.cluster, nonce: clusters.nonce, rejection: "Error adding/updating cluster(s) c-a: no")
        #expect(bench.fetches.count == 1)
        try bench.remove("a")
        while !bench.fetches.isEmpty { bench.answer() }
        let removals = bench.sent.filter { !$0.removed.isEmpty }
        #expect(removals.map(\.typeURL) == [ResourceType.listener.typeURL, ResourceType.cluster.typeURL])
        #expect(removals.last?.removed.contains("c-bb") == true)
    }

    /// Nothing is kept of what was rejected once it is gone, or given up.
    @Test(arguments: [true, false]) func rejectedEndpointsThatAreGoneAreForgotten(unsubscribes: Bool) throws {
        var bench = try Bench(["a", "bb"])
        bench.request(.cluster)
        bench.request(.endpoint, subscribe: ["c-a", "c-bb"])
        _ = bench.settle(.endpoint)
        try bench.publish("a", endpoints: "2")
        let response = try #require(bench.sent.first)
        bench.sent = []
        bench.request(.endpoint, nonce: response.nonce, rejection: "no")
        #expect(bench.machine.progress.rejected.map(\.name) == ["c-a"])
        try bench.remove("a")
        if unsubscribes {
            bench.request(.endpoint, unsubscribe: ["c-a"])
        } else {
            try bench.publish("bb", endpoints: "2")
        }
        _ = bench.settle(.endpoint)
        #expect(bench.machine.progress.rejected == [])
    }
}
