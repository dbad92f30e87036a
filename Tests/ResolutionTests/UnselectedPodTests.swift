import AllocationCount
import Domain
import Testing

@testable import Resolution

/// Most pods of a cluster have nothing to do with any call: their changes must cost next to nothing, whatever is alive.
@Suite struct UnselectedPodTests {
    /// An index of so many calls and pods that nothing selects.
    private func index(calls: Int, pods: Int, tracksMatches: Bool) throws -> EndpointIndex {
        var index = EndpointIndex(tracksMatches: tracksMatches)
        let (envoys, workers) = (
            try #require(LabelSelector(labels: ["app": "envoy"])), try #require(LabelSelector(labels: ["app": "worker"]))
        )
        let port = try #require(PortNumber(2000))
        for number in 0..<calls {
            let endpoint = EndpointIntent(name: "e", host: .selector(workers), port: port)
            let cluster = ClusterIntent(name: "c-\(number)", serviceDiscovery: .eds, endpoints: [endpoint])
            index.apply(
                VirtualService(
                    metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: "call-\(number)")), selector: envoys,
                    listeners: [ListenerIntent(name: "l-\(number)", transport: .udp, port: port, cluster: cluster)]))
        }
        index.apply(pod("worker", address: "10.0.0.1"))
        index.apply(pod("envoy", ["app": "envoy"], address: "10.0.0.2"))
        // One Envoy is connected, so that pods are compared with its id.
        index.watch(nodeID: "default/envoy")
        for number in 0..<pods { index.apply(pod("shop-\(number)", ["app": "shop", "number": "\(number)"])) }
        _ = index.takeChanges()
        _ = index.takeRematched()
        return index
    }

    @Test(arguments: [(1, 10), (1000, 2000)], [false, true])
    func `a change of a pod that nothing selects changes nothing and allocates next to nothing`(
        alive: (calls: Int, pods: Int), tracksMatches: Bool
    ) throws {
        var index = try index(calls: alive.calls, pods: alive.pods, tracksMatches: tracksMatches)
        var counts: [UInt64] = []
        for round in 0..<10 {
            var changed = pod(
                "shop-3", ["app": "shop", "number": "3"], address: "10.1.0.\(round)", ready: round % 2 == 0,
                phase: round == 0 ? .pending : .running)
            changed.metadata.resourceVersion = "\(round)"
            let before = allocation_count()
            index.apply(changed)
            let changes = index.takeChanges()
            let rematched = index.takeRematched()
            counts.append(allocation_count() - before)
            #expect(changes.isEmpty && rematched.isEmpty)
        }
        #expect(try #require(counts.last) <= 3, "\(counts)")
    }

    @Test(arguments: [(1, 10), (1000, 2000)])
    func `pods that nothing selects come and go unnoticed`(alive: (calls: Int, pods: Int)) throws {
        var index = try index(calls: alive.calls, pods: alive.pods, tracksMatches: true)
        var counts: [UInt64] = []
        for round in 0..<10 {
            let fresh = pod("shop-new", ["app": "shop", "number": "new"], uid: "uid-\(round)")
            let before = allocation_count()
            index.apply(fresh)
            index.remove(pod: fresh.key)
            let changes = index.takeChanges()
            counts.append(allocation_count() - before)
            #expect(changes.isEmpty)
        }
        #expect(try #require(counts.last) <= 55, "\(counts)")
    }
}
