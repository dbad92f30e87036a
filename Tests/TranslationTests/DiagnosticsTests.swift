import Domain
import Testing
import Translation

@Suite struct DiagnosticsTests {
    private func diagnostics(_ listeners: [ListenerIntent]) throws -> [String] {
        let service = try VirtualService(
            metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: "v")),
            selector: #require(LabelSelector(labels: ["app": "envoy"])), listeners: listeners)
        let diagnostics = Translator.diagnostics(for: service)
        #expect(diagnostics.allSatisfy { $0.severity == .warning })
        return diagnostics.map(\.description)
    }

    @Test func whatIsServedAsMeantIsNotMentioned() throws {
        let listeners = try [
            listener(cluster: cluster(.strictDNS, ["app=a"], check: .milliseconds(100), hashKey: "k", healthCheckPort: 1233)),
            listener(cluster: cluster(.strictDNS, ["host.example", "192.0.2.1"])),
            listener(cluster: cluster(.eds, ["app=a", "192.0.2.1"])),
            listener(.tcp, cluster: cluster(.eds, ["app=a"])),
        ]
        #expect(try diagnostics(listeners) == [])
    }

    @Test func namesInEDS() throws {
        let text = try diagnostics([
            listener(cluster: cluster(.eds, ["app=a"])), listener(cluster: cluster(.eds, ["192.0.2.1", "host.example"])),
        ])
        #expect(
            text == [
                "warning: spec.listeners[1].udp.cluster.endpoints[1].host.address: host.example is a DNS name, which eds can't "
                    + "carry: the cluster is served as strictdns"
            ])
    }

    @Test(arguments: ServiceDiscovery.allCases) func namesBesidePods(_ serviceDiscovery: ServiceDiscovery) throws {
        let text = try diagnostics([listener(cluster: cluster(serviceDiscovery, ["host.example", "app=a"]))])
        #expect(
            text == [
                "warning: spec.listeners[0].udp.cluster.endpoints[0].host.address: host.example is a DNS name in a cluster with "
                    + "pods: each pod that comes or goes re-creates all sessions of the cluster; give the name a cluster of its own"
            ])
    }

    @Test func listenerWithoutCluster() throws {
        #expect(
            try diagnostics([listener(.tcp, cluster: nil)]) == [
                "warning: spec.listeners[0].tcp: the listener has no cluster and is not served; add one"
            ])
    }

    @Test func fieldsWithoutEffect() throws {
        #expect(
            try diagnostics([listener(.tcp, cluster: cluster(.eds, ["app=a"], hashKey: "k", healthCheckPort: 1233))]) == [
                "warning: spec.listeners[0].tcp.cluster.hash_key: has no effect: TCP connections are spread by the source "
                    + "address; remove it",
                "warning: spec.listeners[0].tcp.cluster.endpoints[0].health_check_port: has no effect without health_check in the "
                    + "cluster; add that or remove this",
            ])
    }

    @Test func hastyHealthCheck() throws {
        #expect(
            try diagnostics([listener(cluster: cluster(.eds, ["app=a"], check: .milliseconds(99)))]) == [
                "warning: spec.listeners[0].udp.cluster.health_check.interval: a check that takes longer than the interval fails, "
                    + "and under load many do below 100 ms; raise it"
            ])
    }
}
