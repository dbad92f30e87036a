import Foundation
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
                let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                let script = root.appendingPathComponent("Conformance/xds_conformance.py").path
                let (end, output) = try await ChildProcess.run(
                    [try Programs.python(), script, "\(stage.xdsOperator.xds)", stage.ingress.uid])
                #expect(end == .exited(0), "\(output)")
                #expect(output.contains("checks passed"), "\(output)")
            }
        }
    }
}
