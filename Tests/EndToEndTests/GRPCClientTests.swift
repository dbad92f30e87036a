import TestKit
import Testing

extension EndToEndTests {
    /// gRPC's own xDS client, which no proxy is: it wants one API listener by its name, and this server has none.
    @Suite struct GRPCClientTests {
        /// Dials `xds:///name` as `node`, and returns what became of the call.
        private func dial(_ name: String, node: String, _ stage: Stage, seconds: Int) async throws -> String {
            let (end, output) = try await Conformance.run(
                "grpc_client.py", ["\(stage.xdsOperator.xds)", node, name, "\(seconds)"], within: .seconds(60))
            #expect(end == .exited(0), "\(output)")
            return output
        }

        @Test func `it connects without harm to the server or to an Envoy`() async throws {
            try await Stage.play(workers: 1) { stage in
                let first = try stage.call("first")
                try stage.apply(first)
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(first.listeners)
                let caller = try first.caller()
                _ = try await caller.freshAnswers()

                // Nobody knows the node: it waits.
                let stranger = try await dial("service.example", node: "stranger", stage, seconds: 2)
                #expect(stranger.contains("DEADLINE_EXCEEDED"), "\(stranger)")
                // Its listener does not exist: the answer without it leaves gRPC to its own timeout.
                let missing = try await dial("service.example", node: stage.ingress.uid, stage, seconds: 2)
                #expect(missing.contains("DEADLINE_EXCEEDED"), "\(missing)")
                // A UDP listener it can't use: it rejects it, and says so.
                let unusable = try await dial(first.listener(0), node: stage.ingress.uid, stage, seconds: 20)
                #expect(unusable.contains("UNAVAILABLE") && unusable.contains(first.listener(0)), "\(unusable)")
                let rejection = try await stage.xdsOperator.child.line("the rejection") { line in
                    line.contains("the Envoy rejected configuration") ? line : nil
                }
                #expect(rejection.contains(first.listener(0)), "\(rejection)")

                // The Envoy of the same node id keeps its calls, and gets new ones.
                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(first.listeners.union(second.listeners))
                #expect(Set(try await second.caller().freshAnswers()).count == 1)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await httpGet("/healthz", from: stage.xdsOperator.probes).status == 200)
            }
        }
    }
}
