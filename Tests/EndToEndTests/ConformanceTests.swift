import TestKit
import Testing

extension EndToEndTests {
    /// The rules of the xDS protocol, as a client sees them that shares no code with the server.
    @Suite struct ConformanceTests {
        @Test func `keeps the rules of the xDS protocol`() async throws {
            try await Stage.play(workers: 1) { stage in
                let calls = try ["first", "second"].map { try stage.call($0) }
                for call in calls { try stage.apply(call) }
                // An Envoy that has it all tells that the objects were read.
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(calls[0].listeners.union(calls[1].listeners))
                // Another operator of the same objects: versions must not tell them apart.
                let replica = try await OperatorProcess.start(manifests: stage.manifests.path)
                stage.watch(replica.child)
                try await replica.awaitReady()
                let (end, output) = try await Conformance.run(
                    "xds_conformance.py",
                    [
                        "\(stage.xdsOperator.xds)", stage.ingress.uid, "--manifests", stage.manifests.path, "--replica",
                        "\(replica.xds)",
                    ], within: .seconds(180))
                #expect(end == .exited(0), "\(output)")
                #expect(output.contains("checks passed, 0 left out"), "\(output)")
            }
        }
    }
}
