import Domain
import Testing

@testable import Resolution

@Suite struct EndpointIndexTests {
    private func service(
        _ name: String, selects labels: [String: String], forwardsTo target: [String: String]? = nil,
        namespace: String = "default",
        port: Int = 2000
    ) throws -> VirtualService {
        let endpoints = try target.map {
            [
                EndpointIntent(
                    name: "e", host: .selector(try #require(LabelSelector(labels: $0))), port: try #require(PortNumber(port)))
            ]
        }
        let cluster = ClusterIntent(name: "c-\(name)", serviceDiscovery: .eds, endpoints: endpoints ?? [])
        return VirtualService(
            metadata: ObjectMetadata(key: ObjectKey(namespace: namespace, name: name)),
            selector: try #require(LabelSelector(labels: labels)),
            listeners: [
                ListenerIntent(name: "l-\(name)", transport: .udp, port: try #require(PortNumber(port)), cluster: cluster)
            ])
    }

    private func addresses(_ endpoints: [ResolvedEndpoint]) -> [String] {
        endpoints.map { endpoint in
            if case .address(let address) = endpoint.host { "\(address):\(endpoint.port)" } else { "?" }
        }
    }

    @Test func allPairsOfASelectorMustMatch() throws {
        var index = EndpointIndex()
        index.apply(pod("both", ["app": "worker", "zone": "a"], address: "10.0.0.1"))
        index.apply(pod("one", ["app": "worker"], address: "10.0.0.2"))
        index.apply(try service("s", selects: ["app": "envoy"], forwardsTo: ["app": "worker", "zone": "a"]))
        let changes = index.takeChanges()
        #expect(changes.services.map { addresses($0.endpoints[0]) } == [["10.0.0.1:2000"]])
    }

    @Test(arguments: [false, true]) func selectionStaysInTheNamespaceUnlessAskedOtherwise(crosses: Bool) throws {
        var index = EndpointIndex(crossesNamespaces: crosses)
        index.apply(pod("a", address: "10.0.0.1"))
        index.apply(pod("b", address: "10.0.0.2", namespace: "other"))
        index.apply(try service("s", selects: ["app": "worker"], forwardsTo: ["app": "worker"]))
        let changes = index.takeChanges()
        #expect(
            addresses(changes.services[0].endpoints[0]) == (crosses ? ["10.0.0.1:2000", "10.0.0.2:2000"] : ["10.0.0.1:2000"]))
        #expect(changes.nodes.map(\.key.name) == (crosses ? ["a", "b"] : ["a"]))
    }

    @Test func theLastPodGoneIsAnEmptyListAndAChange() throws {
        var index = EndpointIndex()
        index.apply(pod("a", address: "10.0.0.1"))
        index.apply(try service("s", selects: ["app": "envoy"], forwardsTo: ["app": "worker"]))
        _ = index.takeChanges()
        index.remove(pod: ObjectKey(namespace: "default", name: "a"))
        let changes = index.takeChanges()
        #expect(changes.services.isEmpty)
        #expect(changes.endpoints.map(\.endpoints) == [[]])
    }

    @Test func aPodThatNothingSelectsIsNoChange() throws {
        var index = EndpointIndex()
        index.apply(try service("s", selects: ["app": "envoy"], forwardsTo: ["app": "worker"]))
        _ = index.takeChanges()
        index.apply(pod("a", ["app": "database"], address: "10.0.0.1"))
        #expect(index.takeChanges().isEmpty)
        index.remove(pod: ObjectKey(namespace: "default", name: "a"))
        #expect(index.takeChanges().isEmpty)
    }

    @Test func onlyTheClustersThatUseAPodMove() throws {
        var index = EndpointIndex()
        for number in 0..<100 {
            index.apply(try service("s\(number)", selects: ["app": "envoy"], forwardsTo: ["app": "worker-\(number)"]))
        }
        _ = index.takeChanges()
        index.apply(pod("a", ["app": "worker-7"], address: "10.0.0.1"))
        #expect(index.takeChanges().endpoints.map(\.service.name) == ["s7"])
    }

    @Test func anEnvoyIsToldOfOnceItIsWatchedThoughNothingSelectsIt() throws {
        var index = EndpointIndex()
        index.watch(nodeID: "uid-a")
        index.watch(nodeID: "default/b")
        #expect(index.takeChanges().isEmpty)
        index.apply(pod("a", ["app": "x"]))
        index.apply(pod("b", ["app": "x"]))
        #expect(index.takeChanges().nodes.map(\.selectors) == [[], []])
        index.unwatch(nodeID: "uid-a")
        #expect(index.takeChanges().nodes.map(\.selectors) == [nil])
    }

    @Test func aPodLosesItsPlaceWithItsLabelsAndWhenTheLastObjectGoes() throws {
        var index = EndpointIndex()
        let envoy = try service("s", selects: ["app": "envoy"])
        let selector = ScopedSelector(namespace: "default", selector: envoy.selector)
        index.apply(envoy)
        index.apply(pod("a", ["app": "envoy"]))
        #expect(index.takeChanges().nodes.map(\.selectors) == [[selector]])
        index.apply(pod("a", ["app": "other"]))
        #expect(index.takeChanges().nodes.map(\.selectors) == [nil])
        index.apply(pod("a", ["app": "envoy"]))
        _ = index.takeChanges()
        index.remove(service: envoy.metadata.key)
        let changes = index.takeChanges()
        #expect(changes.nodes.map(\.selectors) == [nil])
        #expect(changes.removedServices == [envoy.metadata.key])
    }

    /// Random events: what has been told, put together, is always what a full look at everything gives.
    @Test(arguments: 0..<100) func whatIsToldAddsUpToTheWhole(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        var index = EndpointIndex()
        var pods: [String: Pod] = [:]
        var services: [String: VirtualService] = [:]
        var told: [ObjectKey: [[String]]] = [:]
        var nodes: [ObjectKey: Set<ScopedSelector>] = [:]
        func labels() -> [String: String] {
            var labels = ["app": "a\(Int.random(in: 0..<3, using: &random))"]
            if Bool.random(using: &random) { labels["zone"] = "z\(Int.random(in: 0..<2, using: &random))" }
            return labels
        }
        for _ in 0..<80 {
            let name = "n\(Int.random(in: 0..<6, using: &random))"
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                pods[name] = nil
                index.remove(pod: ObjectKey(namespace: "default", name: name))
            case 1:
                services[name] = nil
                index.remove(service: ObjectKey(namespace: "default", name: name))
            case 2:
                let new = try service(name, selects: labels(), forwardsTo: labels())
                services[name] = new
                index.apply(new)
            default:
                let new = pod(
                    name, labels(), address: "10.0.0.\(Int.random(in: 1..<5, using: &random))", ready: .random(using: &random))
                pods[name] = new
                index.apply(new)
            }
            guard Bool.random(using: &random) else { continue }
            let changes = index.takeChanges()
            for change in changes.services { told[change.service.metadata.key] = change.endpoints.map { $0.map { "\($0)" } } }
            for key in changes.removedServices { told[key] = nil }
            for change in changes.endpoints { told[change.service]?[change.listener] = change.endpoints.map { "\($0)" } }
            for change in changes.nodes { nodes[change.key] = change.selectors }
            try compare(Array(pods.values), Array(services.values), told, nodes)
        }
    }

    private func compare(
        _ pods: [Pod], _ services: [VirtualService], _ told: [ObjectKey: [[String]]], _ nodes: [ObjectKey: Set<ScopedSelector>]
    ) throws {
        #expect(Set(told.keys) == Set(services.map(\.metadata.key)))
        for service in services {
            guard case .selector(let selector)? = service.listeners[0].cluster?.endpoints[0].host else { continue }
            let expected = EndpointPolicy().endpoints(among: pods.filter { selector.matches($0.labels) }).map {
                "\(ResolvedEndpoint(host: .address($0.address), port: service.listeners[0].port, health: $0.health))"
            }
            #expect(told[service.metadata.key] == [expected])
        }
        for pod in pods {
            let expected = Set(
                services.filter { $0.selector.matches(pod.labels) }.map {
                    ScopedSelector(namespace: "default", selector: $0.selector)
                })
            #expect((nodes[pod.key] ?? []) == expected)
        }
        for key in nodes.keys { #expect(pods.contains { $0.key == key }) }
    }
}

/// A generator whose runs can be repeated (xorshift).
private struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 2_685_821_657_736_338_717 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
