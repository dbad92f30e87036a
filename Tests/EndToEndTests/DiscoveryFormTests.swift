import TestKit
import Testing

extension EndToEndTests {
    /// Whatever form of the protocol an Envoy speaks, it is configured and kept in step.
    @Suite struct DiscoveryFormTests {
        @Test(arguments: DiscoveryForm.allCases) func `forwards and follows`(_ form: DiscoveryForm) async throws {
            try await Stage.play(workers: 2) { stage in
                let first = try stage.call("first")
                var named = try stage.call("named")
                named.serviceDiscovery = "strictdns"
                try stage.apply(first)
                try stage.apply(named)
                let envoy = try await stage.startEnvoy(form: form)
                try await envoy.awaitListeners(first.listeners.union(named.listeners))
                for call in [first, named] {
                    let caller = try call.caller()
                    #expect(Set(try await caller.freshAnswers()).count == 1)
                    try await caller.awaitSent(20)
                    #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                }

                // A call comes, another goes.
                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(first.listeners.union(named.listeners).union(second.listeners))
                #expect(Set(try await second.caller().freshAnswers()).count == 1)
                try stage.delete(first)
                try await envoy.awaitListeners(named.listeners.union(second.listeners))

                // A worker goes.
                try stage.delete(stage.pod(of: "worker-1"))
                for call in [second, named] {
                    try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts([stage.workers[0]], of: call))
                    #expect(try await call.caller().freshAnswers() == ["worker-0", "worker-0", "worker-0", "worker-0"])
                }
            }
        }

        @Test(arguments: [DiscoveryForm.stateOfTheWorld, .separateDelta]) func `comes back to a restarted operator`(
            _ form: DiscoveryForm
        ) async throws {
            try await Stage.play(workers: 1) { stage in
                let first = try stage.call("first")
                try stage.apply(first)
                let envoy = try await stage.startEnvoy(form: form)
                let caller = try first.caller()
                _ = try await caller.freshAnswers()
                _ = try await stage.xdsOperator.child.stop(grace: .seconds(20))
                _ = try await stage.restartOperator()
                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(first.listeners.union(second.listeners))
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
            }
        }
    }
}
