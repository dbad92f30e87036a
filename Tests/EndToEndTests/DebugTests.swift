import Foundation
import TestKit
import Testing

/// The debug pages, with a real Envoy.
extension EndToEndTests {
    @Suite struct DebugTests {
        @Test func theyTellOfAnEnvoyAndOfObjects() async throws {
            try await Stage.play { stage in
                _ = try await stage.startEnvoy()
                try stage.apply(try stage.call("drawn"))
                let debug = stage.xdsOperator.debug
                let node = stage.ingress.uid
                let stream = try await eventually("the Envoy to have acknowledged everything", within: .seconds(20)) {
                    () -> Look<[String: Any]> in
                    let page = try Self.object(try await httpGet("/debug/syncz?node=\(node)", from: debug).body)
                    let streams = page["streams"] as? [[String: Any]] ?? []
                    let types = streams.first?["types"] as? [[String: Any]] ?? []
                    let isSettled =
                        types.count == 3 && types.allSatisfy { $0["unanswered"] as? Int == 0 && $0["acknowledged"] != nil }
                    return isSettled ? .met(streams[0]) : .unmet("\(page)")
                }
                #expect(stream["node"] as? String == node)
                #expect(stream["service"] as? String == "aggregated" && stream["form"] as? String == "delta")

                let dump = try await httpGet("/debug/config_dump?node=\(node)", from: debug)
                let resources = try #require(JSONSerialization.jsonObject(with: Data(dump.body.utf8)) as? [[String: Any]])
                let kinds = Set(resources.compactMap { ($0["@type"] as? String)?.split(separator: ".").last.map(String.init) })
                #expect(kinds == ["Cluster", "ClusterLoadAssignment", "Listener"])
                #expect(try await httpGet("/debug/config_dump?node=nobody", from: debug).status == 404)
                #expect(try await httpGet("/debug/config_dump", from: debug).status == 400)

                let graph = try await httpGet("/debug/graph", from: debug).body
                #expect(graph.hasPrefix("digraph") && graph.contains("VirtualService default/") && graph.contains(" -> "))
                let memory = try Self.object(try await httpGet("/debug/memory", from: debug).body)
                #expect((memory["residentBytes"] as? Int ?? 0) > 1 << 20 && memory["streams"] as? Int == 1)
            }
        }

        @Test func theLogLevelChanges() async throws {
            try await Stage.play { stage in
                let debug = stage.xdsOperator.debug
                #expect(try await httpGet("/debug/log", from: debug).body == "info\n")
                let answer = try await httpRequest("PUT", "/debug/log?level=trace", to: debug)
                #expect(answer.status == 200)
                #expect(try await httpGet("/debug/log", from: debug).body == "trace\n")
                #expect(try await httpRequest("PUT", "/debug/log?level=loud", to: debug).status == 400)
            }
        }

        @Test func metricsSayHowFastChangesReachEnvoys() async throws {
            try await Stage.play { stage in
                _ = try await stage.startEnvoy()
                try stage.apply(try stage.call("measured"))
                let metrics = stage.xdsOperator.metrics
                let text = try await eventually("the change to be acknowledged and counted", within: .seconds(20)) {
                    () -> Look<String> in
                    let text = try await httpGet("/metrics", from: metrics).body
                    let counted = text.split(separator: "\n").first {
                        $0.hasPrefix("xds_operator_push_latency_seconds_count{stage=\"acknowledged\"} ")
                    }
                    return counted.map { !$0.hasSuffix(" 0") } == true ? .met(text) : .unmet(text)
                }
                #expect(text.contains("xds_operator_streams{form=\"delta\",service=\"aggregated\"} 1\n"))
                #expect(text.contains("process_resident_memory_bytes ") && !text.contains("# EOF"))
            }
        }

        private static func object(_ text: String) throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }
    }
}
