import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// Two replicas of the operator, each with an Envoy of its own.
    @Suite(.cluster) struct ClusterReplicaTests {
        @Test func `the leader is killed and replaced, and no Envoy notices`() async throws {
            try await ClusterStage.play(workers: 2) { stage in
                try await stage.add(
                    ClusterPod("ingress-1", labels: ["app": "envoy-ingress", "seat": "right"], address: "127.0.0.1"))
                try await stage.admin.patch(
                    ClusterPath.pod("ingress-0", stage.namespace), ["metadata": ["labels": ["seat": "left"]]])
                let one = try await stage.startOperator("one", xdsPort: try stage.ground.port())
                try await stage.awaitLeader("one")
                let two = try await stage.startOperator("two")
                let left = try await stage.startEnvoy("ingress-0", of: one)
                let right = try await stage.startEnvoy("ingress-1", of: two)
                // A call on each Envoy, and one on both.
                let calls = try ["left", "right"].map { try stage.call($0, streams: 2, selector: ["seat": $0]) }
                let shared = try stage.call("shared")
                for call in calls + [shared] { try await stage.create(call) }
                for call in calls { try await stage.awaitCondition(call, "Programmed", "True", "Programmed") }
                let object = try await stage.await(shared, "programmed on both Envoys, which both replicas have said") {
                    $0["status", "envoys"]?.text == "2/2" && $0.condition("Programmed")?["status"]?.text == "True"
                        && $0.replicas == ["one", "two"]
                }
                let callers = try calls.map { try $0.caller() }
                for caller in callers { _ = try await caller.freshAnswers() }
                let before = try await [counters(of: left), counters(of: right)]

                one.child.signal(SIGKILL)
                let killed = ContinuousClock.now
                _ = try await one.child.awaitEnd(within: .seconds(10))
                // As a Deployment does: another pod, another name, behind the same Service.
                let three = try await stage.startOperator("three", xdsPort: one.xds.port)
                try await stage.awaitOneLeader(of: ["two", "three"])
                // The lease lasts 15 s from its last renewal, looked at every 2 s.
                #expect(ContinuousClock.now - killed < .seconds(25))
                try await left.awaitStatistic("control_plane.connected_state", within: .seconds(40)) { $0 == 1 }

                // The new leader writes; and what it writes shows that both streams have been answered.
                let marker = try stage.call("marker")
                try await stage.create(marker)
                try await stage.await(marker, "programmed on both Envoys", within: .seconds(60)) {
                    $0["status", "envoys"]?.text == "2/2" && $0.condition("Programmed")?["status"]?.text == "True"
                }
                let after = try await [counters(of: left), counters(of: right)]
                for (before, after) in zip(before, after) {
                    for name in ["cluster_manager.cds.update_success", "listener_manager.lds.update_success"] {
                        #expect(after[name] == before[name, default: 0] + 1, "\(name): the marker alone")
                    }
                    #expect(after["listener_manager.listener_added"] == before["listener_manager.listener_added", default: 0] + 1)
                    #expect(after["cluster_manager.cluster_added"] == before["cluster_manager.cluster_added", default: 0] + 1)
                    for name in [
                        "cluster_manager.cluster_modified", "cluster_manager.cluster_removed",
                        "listener_manager.listener_modified",
                        "listener_manager.listener_removed", "listener_manager.lds.update_rejected",
                        "cluster_manager.cds.update_rejected",
                    ] {
                        #expect(after[name] == 0, "\(name)")
                    }
                    for (name, value) in before where name.hasSuffix(".membership_change") {
                        #expect(after[name] == value, "\(name) changed")
                    }
                }
                for caller in callers {
                    _ = try await caller.freshAnswers()
                    #expect(await caller.stop().map { $0.lost() } == [0, 0])
                }

                // What the dead replica wrote of itself is cleared once its Envoys had time to appear elsewhere.
                let final = try await stage.await(shared, "free of the dead replica's entry", within: .seconds(75)) {
                    $0.replicas == ["three", "two"]
                }
                #expect(final["status", "envoys"]?.text == "2/2")
                #expect(final.condition("Programmed") == object.condition("Programmed"), "it has been programmed throughout")
                let bytes = try await [resources(of: two, stage), resources(of: three, stage)]
                #expect(bytes[0] == bytes[1])
                #expect(bytes[0].split(separator: "\n").count == 12, "\(bytes[0])")
            }
        }

        private func counters(of envoy: EnvoyProcess) async throws -> [String: UInt64] {
            try await envoy.admin.statistics(containing: "listener_manager.")
                .merging(envoy.admin.statistics(containing: "cluster_manager.")) { first, _ in first }
                .merging(envoy.admin.statistics(containing: "membership_change")) { first, _ in first }
        }

        /// Every resource of the left Envoy with its version and digest, as a client that shares no code with the server gets it.
        private func resources(of process: OperatorProcess, _ stage: ClusterStage) async throws -> String {
            let (end, output) = try await ChildProcess.run([
                ClusterClient.program("python"), "\(ClusterClient.root)Tests/Conformance/fetch_resources.py", "\(process.xds)",
                "\(stage.namespace)/ingress-0",
            ])
            guard end == .exited(0) else { throw ClusterError(code: 0, description: output) }
            return output
        }
    }
}

extension ClusterStage {
    /// Waits until one of `replicas` leads.
    func awaitOneLeader(of replicas: [String]) async throws {
        try await eventually("one of \(replicas) to lead", within: .seconds(40), every: .milliseconds(100)) { () -> Look<Void> in
            let leader = try await leader()
            return leader.map { replicas.contains($0) } == true ? .met(()) : .unmet(leader ?? "nobody")
        }
    }
}
