import TestKit
import Testing

extension EndToEndTests {
    /// An Envoy whose node id nobody knows is seen in the log and in the metrics, and is served once its pod is known.
    @Suite struct WaitingEnvoyTests {
        @Test func `an unknown Envoy is visible`() async throws {
            try await Stage.play(ingressIsKnown: false) { stage in
                let call = try stage.call("first")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(isReady: false)
                let line = try await stage.xdsOperator.child.line("word of the waiting Envoy") { line in
                    line.contains("the Envoy waits and gets no configuration") ? line : nil
                }
                #expect(line.contains(stage.ingress.uid), "\(line)")
                let metrics = try await httpGet("/metrics", from: stage.xdsOperator.metrics).body
                #expect(metrics.contains("xds_operator_streams_waiting 1"), "\(metrics)")
                try stage.apply(stage.ingress)
                try await envoy.awaitListeners(call.listeners)
                let after = try await httpGet("/metrics", from: stage.xdsOperator.metrics).body
                #expect(after.contains("xds_operator_streams_waiting 0"), "\(after)")
            }
        }

        /// `--answer-timeout` as a user sets it: a client that never answers is told why its stream ends.
        @Test func `a client that never answers is ended`() async throws {
            try await Stage.play(workers: 1, arguments: ["--answer-timeout", "1"]) { stage in
                let call = try stage.call("first")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(call.listeners)
                let (end, output) = try await Conformance.run(
                    "silent_client.py", ["\(stage.xdsOperator.xds)", stage.ingress.uid], within: .seconds(60))
                #expect(end == .exited(0), "\(output)")
                #expect(output.contains("DEADLINE_EXCEEDED no answer to any response for 1"), "\(output)")
                // An Envoy answers, and stays.
                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(call.listeners.union(second.listeners))
                #expect(try await envoy.admin.statistic("control_plane.connected_state") == 1)
                let log = stage.xdsOperator.child.output.split(separator: "\n")
                #expect(log.count { $0.contains("stream began") } == 2, "the Envoy's and the silent client's")
            }
        }
    }
}
