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
                    () -> Look<Streams.Stream> in
                    let body = try await httpGet("/debug/syncz?node=\(node)", from: debug).body
                    let stream = try JSONDecoder().decode(Streams.self, from: Data(body.utf8)).streams.first
                    guard let stream, stream.types.count == 3, stream.types.allSatisfy(\.isSettled) else { return .unmet(body) }
                    return .met(stream)
                }
                #expect(stream.node == node && stream.service == "aggregated" && stream.form == "delta")

                let dump = try await httpGet("/debug/config_dump?node=\(node)", from: debug).body
                for kind in ["Cluster", "ClusterLoadAssignment", "Listener"] {
                    #expect(dump.contains(".v3.\(kind)\""), "no \(kind) in \(dump)")
                }
                #expect(try await httpGet("/debug/config_dump?node=nobody", from: debug).status == 404)
                #expect(try await httpGet("/debug/config_dump", from: debug).status == 400)

                let graph = try await httpGet("/debug/graph", from: debug).body
                #expect(graph.hasPrefix("digraph") && graph.contains("VirtualService default/") && graph.contains(" -> "))
                let memory = try await httpGet("/debug/memory", from: debug).body
                let figures = try JSONDecoder().decode(Memory.self, from: Data(memory.utf8))
                #expect(figures.residentBytes > 1 << 20 && figures.streams == 1)
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

        @Test func aSignalTurnsDebugOnAndOff() async throws {
            try await Stage.play { stage in
                let child = stage.xdsOperator.child
                for level in ["debug", "info"] {
                    child.signal(SIGUSR1)
                    _ = try await child.line("the level \(level)") {
                        $0.contains("log level changed by SIGUSR1") && $0.contains("level=\(level)") ? true : nil
                    }
                    #expect(try await httpGet("/debug/log", from: stage.xdsOperator.debug).body == "\(level)\n")
                }
            }
        }

        /// From the object to the snapshot that has it, and from there to the Envoy that has acknowledged that.
        @Test func theLogTellsWhichChangeAnEnvoyHas() async throws {
            try await Stage.play(arguments: ["--log-level", "debug"]) { stage in
                _ = try await stage.startEnvoy()
                let child = stage.xdsOperator.child
                try stage.apply(try stage.call("traced"))
                let (group, revision) = try await child.line("the publication") { line -> (Substring, Int)? in
                    guard line.contains("object published"), line.contains("traced"),
                        let match = line.firstMatch(of: /snapshots=(\d+)@(\d+)/), let revision = Int(match.2)
                    else { return nil }
                    return (match.1, revision)
                }
                let node = stage.ingress.uid
                _ = try await child.line("the Envoy's step") { line -> Bool? in
                    guard line.contains("the client is in step"), line.contains("node=\(node)"), line.contains("group=\(group) "),
                        let match = line.firstMatch(of: /listener="(\d+) sent, (\d+) acknowledged"/),
                        let acknowledged = Int(match.2)
                    else { return nil }
                    return acknowledged >= revision ? true : nil
                }
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

        private struct Streams: Decodable {
            struct Stream: Decodable, Sendable {
                struct State: Decodable, Sendable {
                    let unanswered: Int
                    let acknowledged: String?

                    var isSettled: Bool { unanswered == 0 && acknowledged != nil }
                }

                let node: String
                let service: String
                let form: String
                let types: [State]
            }

            let streams: [Stream]
        }

        private struct Memory: Decodable {
            let residentBytes: Int
            let streams: Int
        }
    }
}
