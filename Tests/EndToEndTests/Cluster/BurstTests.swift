import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// Many objects at once, counted at our simulator.
    @Suite struct BurstTests {
        private static let count = 1000

        @Test func `1,000 objects in a burst reach an Envoy long before their status, which settles without a storm`()
            async throws
        {
            let api = try KubeAPISimulator(definitions: Cluster.definitions())
            let files = try TemporaryDirectory(named: "burst")
            try api.kubeconfig().write(toFile: files.path(of: "kubeconfig"), atomically: true, encoding: .utf8)
            let ingress = PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1")
            try api.create(JSONValue(yaml: ingress.yaml))
            let (rate, burst) = (100, 100)
            let xdsOperator = try await OperatorProcess.start(
                source: ["--kubeconfig", files.path(of: "kubeconfig"), "--leader-elect", "--replica-name", "one"],
                arguments: ["--status-rate", "\(rate)", "--status-burst", "\(burst)"])
            try await xdsOperator.awaitReady()
            let envoy = try await EnvoyProcess.start(
                configuration: try await xdsOperator.bootstrap(node: "default/envoy-ingress-0"))
            try await envoy.awaitReady()
            _ = try await api.requests.wait(for: "the leader's first look", within: .seconds(20)) {
                $0.count(verb: "list", resource: "leases") > 0 ? true : nil
            }

            // Ports below those of outgoing connections and above those of other tests; nobody sends there.
            let calls = (0..<Self.count).map { number in
                CallManifest(id: "b\(1000 + number)", streams: [.init(port: UInt16(30_100 + number), workerPort: 9)])
            }
            let objects = try calls.map { try JSONValue(yaml: $0.yaml) }
            let last = try #require(calls.last)
            api.resetRequests()
            let created = ContinuousClock.now
            api.createUnchecked(objects)
            try await envoy.wait("the last of the burst", within: .seconds(60)) { admin in
                try await admin.listeners()[last.listener(0)] == nil ? .unmet("not there") : .met(())
            }
            let configured = ContinuousClock.now - created
            let writtenThen = api.requests.value.statusWrites
            let wanted = Self.count
            // Counted, not looked at, as long as there is much to do: looking takes the simulator's time.
            _ = try await api.requests.wait(for: "the first write of each object", within: .seconds(90)) {
                $0.statusWrites >= wanted ? true : nil
            }
            let settled = try await eventually("every object to be programmed", within: .seconds(60), every: .seconds(2)) {
                () -> Look<Duration> in
                let programmed = api.list("VirtualService").count { $0.condition("Programmed")?["status"]?.text == "True" }
                return programmed == wanted ? .met(ContinuousClock.now - created) : .unmet("\(programmed)")
            }
            // One write of conditions each, and one of this replica's entry, which may follow; some are in two steps, since an Envoy
            // acknowledges a burst in several.
            try await eventually("every entry to be written", within: .seconds(60), every: .seconds(2)) { () -> Look<Void> in
                let entries = api.list("VirtualService").count { $0.replicas == ["one"] }
                return entries == wanted ? .met(()) : .unmet("\(entries)")
            }
            let writes = api.requests.value.statusWrites
            print("burst of \(wanted): configured after \(configured), all statuses after \(settled), \(writes) status writes")
            // However slow the machine is: what was written by then is what the rate allowed, and it was not all.
            #expect(writtenThen <= burst + rate * (Int(configured.components.seconds) + 2))
            #expect(writtenThen < wanted, "configuration waits for no status")
            #expect(configured < settled)
            #expect(writes <= wanted * 5 / 2)
            #expect(api.requests.value.count(resource: "virtualservices/status", status: 409) <= wanted / 10)

            // Then nothing, while the replica renews its lease twice, every five seconds.
            let renewals = api.requests.value.count(verb: "list", resource: "leases")
            _ = try await api.requests.wait(for: "two looks at the leases", within: .seconds(30)) {
                $0.count(verb: "list", resource: "leases") >= renewals + 2 ? true : nil
            }
            #expect(api.requests.value.statusWrites == writes)
            #expect(try await xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
            try await api.stop()
        }
    }
}

extension RequestLog {
    fileprivate var statusWrites: Int { count(verb: "patch", resource: "virtualservices/status") }
}
