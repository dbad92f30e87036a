import Domain
import Testing

@testable import Resolution

/// Line 20 of docs/kubernetes-client.md: who a pod is, when names and addresses come again.
@Suite struct PodIdentityTests {
    private let service: VirtualService

    init() throws {
        let endpoint = EndpointIntent(
            name: "e", host: .selector(try #require(LabelSelector(labels: ["app": "worker"]))), port: try #require(PortNumber(1)))
        service = VirtualService(
            metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: "s")),
            selector: try #require(LabelSelector(labels: ["app": "worker"])),
            listeners: [
                ListenerIntent(
                    name: "l", transport: .udp, port: try #require(PortNumber(1)),
                    cluster: ClusterIntent(name: "c", serviceDiscovery: .eds, endpoints: [endpoint]))
            ])
    }

    private func hosts(_ changes: ResolutionChanges) -> [[String]] {
        changes.endpoints.map { $0.endpoints.map { "\($0.host) \($0.health)" } }
    }

    @Test func `20 an address that a new pod has before the old one's delete came stays a host`() {
        var index = EndpointIndex()
        index.apply(service)
        index.apply(pod("old", address: "10.0.0.1"))
        _ = index.takeChanges()
        index.apply(pod("new", address: "10.0.0.1"))
        let shared = index.takeChanges()
        #expect(shared.endpoints.allSatisfy { $0.endpoints.count == 1 })
        index.remove(pod: ObjectKey(namespace: "default", name: "old"))
        let left = index.takeChanges()
        #expect(left.endpoints.allSatisfy { $0.endpoints.count == 1 })
        #expect(left.nodes.map(\.key.name) == ["old"] && left.nodes[0].selectors == nil)
        index.remove(pod: ObjectKey(namespace: "default", name: "new"))
        #expect(hosts(index.takeChanges()) == [[]])
    }

    @Test func `20 a pod of the same name with a new uid is another Envoy at another address`() {
        var index = EndpointIndex()
        index.apply(service)
        index.apply(pod("worker-0", address: "10.0.0.1", uid: "first"))
        _ = index.takeChanges()
        index.apply(pod("worker-0", address: "10.0.0.2", uid: "second"))
        let changes = index.takeChanges()
        #expect(changes.nodes.map(\.uid) == ["second"])
        #expect(changes.endpoints.map { $0.endpoints.count } == [1])
        // The first one's Envoy, should it still ask, is nobody's.
        index.watch(nodeID: "first")
        #expect(index.takeChanges().nodes.isEmpty)
    }
}
