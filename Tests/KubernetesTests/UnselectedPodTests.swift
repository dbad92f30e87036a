import AllocationCount
import Domain
import Kubernetes
import Testing

/// What a pod's update costs before anybody asks whether something selects it.
@Suite struct UnselectedPodTests {
    private func pod(_ number: Int, version: Int) -> Pod {
        Pod(
            metadata: ObjectMetadata(
                key: ObjectKey(namespace: "default", name: "shop-7d9c6b5f4-\(number)"), uid: "uid-\(number)",
                resourceVersion: "\(version)"),
            labels: ["app": "shop", "pod-template-hash": "7d9c6b5f4"], addresses: [], phase: .running, isReady: true)
    }

    @Test(arguments: [10, 5000]) func `a store takes an update at the same price whatever it holds`(alive: Int) throws {
        var store = ObjectStore<Pod>()
        store.apply(.restarted)
        for number in 0..<alive { store.apply(.applied(pod(number, version: 1))) }
        store.apply(.synced)
        #expect(store.takeChanges().count == alive)
        var counts: [UInt64] = []
        for round in 0..<10 {
            let update = pod(3, version: 2 + round)
            let before = allocation_count()
            store.apply(.applied(update))
            let changes = store.takeChanges()
            counts.append(allocation_count() - before)
            #expect(changes.count == 1)
        }
        #expect(try #require(counts.last) <= 8, "\(counts)")
    }
}
