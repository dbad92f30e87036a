import TestKit
import Testing

extension EndToEndTests {
    /// How Envoys find what is theirs.
    @Suite struct EnvoyTests {
        @Test func `two Envoys of one selector both follow objects and pods`() async throws {
            try await Stage.play(workers: 3) { stage in
                let twin = PodManifest("envoy-ingress-1", labels: ["app": "envoy-ingress"], address: "127.0.0.2")
                try stage.apply(twin)
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoys = [
                    try await stage.startEnvoy("envoy-0"), try await stage.startEnvoy("envoy-1", node: twin.uid),
                ]
                for envoy in envoys {
                    try await envoy.awaitListeners(call.listeners)
                    try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(stage.workers, of: call))
                }

                // The kernel spreads the flows over both Envoys, which share the ports; both choose the same worker.
                let callers = try (0..<8).map { _ in try call.caller() }
                var answers: Set<String> = []
                for caller in callers { answers.formUnion(try await caller.freshAnswers()) }
                #expect(answers.count == 1, "two Envoys chose \(answers) for one call")
                for envoy in envoys {
                    let sessions = try await envoy.admin.statistics(containing: "downstream_sess_total")
                    #expect(sessions.values.reduce(0, +) > 0, "\(envoy.child.name) had no session")
                }

                try stage.delete(stage.pod(of: "worker-1"))
                let remaining = [stage.workers[0], stage.workers[2]]
                for envoy in envoys {
                    for index in call.streams.indices {
                        try await envoy.awaitHosts(of: call.cluster(index), are: stage.hosts(remaining, of: call, index))
                    }
                }
                let second = try stage.call("second")
                try stage.apply(second)
                for envoy in envoys { try await envoy.awaitListeners(call.listeners.union(second.listeners)) }
            }
        }

        @Test func `an Envoy that connects before its pod is known waits for it`() async throws {
            try await Stage.play(workers: 1, ingressIsKnown: false) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(isReady: false)
                try await envoy.awaitStatistic("control_plane.connected_state") { $0 == 1 }
                // One that connects later and is served shows that the first was left waiting, not merely slow to be answered.
                let known = PodManifest("known", labels: ["app": "envoy-ingress"], address: "127.0.0.2")
                try stage.apply(known)
                let other = try await stage.startEnvoy("envoy-known", node: known.uid)
                try await other.awaitListeners(call.listeners)
                other.child.signal(9)
                _ = try await other.child.awaitEnd(within: .seconds(10))
                #expect(try await envoy.admin.get("/ready").status != 200)
                #expect(try await envoy.admin.statistic("cluster_manager.cds.update_success") == 0)

                try stage.apply(stage.ingress)
                try await envoy.awaitListeners(call.listeners)
                try await envoy.awaitReady()
                _ = try await call.caller().freshAnswers()
            }
        }

        @Test func `a node id may be the namespace and name of the pod`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(node: "default/envoy-ingress-0")
                try await envoy.awaitListeners(call.listeners)
                _ = try await call.caller().freshAnswers()
            }
        }

        @Test func `a known Envoy without objects is ready at once`() async throws {
            try await Stage.play { stage in
                let envoy = try await stage.startEnvoy(isReady: false)
                // Silence would cost it 15 s for each type.
                try await envoy.awaitReady(within: .seconds(8))
                #expect(try await envoy.admin.listeners().isEmpty)
            }
        }

        @Test func `an Envoy that restarts gets everything again`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let first = try await stage.startEnvoy("envoy-first")
                try await first.awaitListeners(call.listeners)
                first.child.signal(9)
                _ = try await first.child.awaitEnd(within: .seconds(10))
                let second = try await stage.startEnvoy("envoy-second")
                try await second.awaitListeners(call.listeners)
                _ = try await call.caller().freshAnswers()
            }
        }
    }
}
