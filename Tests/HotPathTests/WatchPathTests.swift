import Domain
import Kubernetes
import Testing

/// An event of the API server: thousands arrive when an operator starts, and one with each heartbeat of a pod.
@Suite struct WatchPathTests {
    @Test func decodingAPod() throws {
        let json = #"""
            {"type":"MODIFIED","object":{"metadata":{"name":"worker-0","namespace":"calls","uid":"u-1","resourceVersion":"42",
            "labels":{"app":"worker"}},"spec":{"containers":[{"name":"main","image":"main","env":[{"name":"A","value":"b"}]}]},
            "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}],
            "conditions":[{"type":"Ready","status":"True"}]}}}
            """#
        let bytes = Array(json.utf8)
        let pods = WatchedKind<Pod>.pods
        let cost = try Cost.least {
            guard try pods.frame(bytes, framing: .lines, namespace: nil).object?.object?.isReady == true else {
                throw Unexpected()
            }
        }
        #expect(cost.allocations <= 210, "\(cost)")
    }

    private struct Unexpected: Error {}
}
