import Domain
import Testing
import Translation
import XDS

/// What an Envoy would get, by the way that the server goes.
@Suite struct PreviewTests {
    private func pod(_ name: String, _ labels: [String: String], address: String, namespace: String = "default") throws -> Pod {
        Pod(
            metadata: ObjectMetadata(key: ObjectKey(namespace: namespace, name: name), uid: "uid-\(name)"), labels: labels,
            addresses: [try #require(IPAddress(address))], phase: .running, isReady: true)
    }

    private func service(_ name: String, created: Int64, port: Int, listener: String) throws -> VirtualService {
        let cluster = ClusterIntent(
            name: "c-\(name)", serviceDiscovery: .eds,
            endpoints: [
                EndpointIntent(
                    name: "e", host: .selector(try #require(LabelSelector(labels: ["app": "worker"]))),
                    port: try #require(PortNumber(3000)))
            ])
        return VirtualService(
            metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: name), creationSeconds: created),
            selector: try #require(LabelSelector(labels: ["app": "envoy"])),
            listeners: [ListenerIntent(name: listener, transport: .udp, port: try #require(PortNumber(port)), cluster: cluster)])
    }

    @Test func anEnvoyIsFoundByItsUIDAndByItsName() throws {
        let preview = Preview(
            virtualServices: [try service("a", created: 1, port: 1000, listener: "l")],
            pods: [try pod("e", ["app": "envoy"], address: "127.0.0.1"), try pod("w", ["app": "worker"], address: "127.0.0.2")])
        for id in ["uid-e", "default/e"] {
            #expect(preview.resources(.listener, nodeID: id)?.map(\.name) == ["l"])
            #expect(preview.resources(.endpoint, nodeID: id)?.map(\.name) == ["c-a"])
        }
        #expect(preview.resources(.listener, nodeID: "uid-w") == [])
        #expect(preview.resources(.listener, nodeID: "uid-x") == nil)
    }

    @Test(arguments: [(2000, "l1", "UDP port 2000"), (2001, "l0", "listener name l0")])
    func theOlderObjectKeepsWhatBothClaim(port: Int, listener: String, claim: String) throws {
        let old = try service("old", created: 1, port: 2000, listener: "l0")
        let young = try service("a-young", created: 2, port: port, listener: listener)
        let preview = Preview(virtualServices: [young, old], pods: [try pod("e", ["app": "envoy"], address: "127.0.0.1")])
        #expect(preview.resources(.cluster, nodeID: "uid-e")?.map(\.name) == ["c-old"])
        #expect(preview.conflicts(of: young.metadata.key).map { "\($0.claim)" } == [claim])
        #expect(preview.conflicts(of: old.metadata.key).isEmpty)
    }
}
