import TestKit
import Testing

extension EndToEndTests {
    /// The operator's own life: start, restart, end, and what strangers send it.
    @Suite struct OperatorTests {
        @Test func `SIGTERM ends it with status 0 while an Envoy is connected`() async throws {
            try await Stage.play(workers: 1) { stage in
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitStatistic("control_plane.connected_state") { $0 == 1 }
                #expect(try await stage.xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
                try await envoy.awaitStatistic("control_plane.connected_state") { $0 == 0 }
            }
        }

        @Test func `a restart sends nothing again that an Envoy has`() async throws {
            try await Stage.play(workers: 3) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try await caller.freshAnswers()
                let before = try await counters(of: envoy, call)

                #expect(try await stage.xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
                try await envoy.awaitStatistic("control_plane.connected_state") { $0 == 0 }
                let successor = try await stage.restartOperator()
                try await envoy.awaitStatistic("control_plane.connected_state", within: .seconds(60)) { $0 == 1 }

                // What comes next shows that the new stream works; whatever was sent again has been counted by then.
                let marker = try stage.call("marker")
                try stage.apply(marker)
                try await envoy.awaitListeners(call.listeners.union(marker.listeners))
                let after = try await counters(of: envoy, call)
                #expect(
                    after["listener_manager.lds.update_success"] == before["listener_manager.lds.update_success", default: 0] + 1)
                #expect(
                    after["cluster_manager.cds.update_success"] == before["cluster_manager.cds.update_success", default: 0] + 1)
                #expect(after["listener_manager.listener_modified"] == 0)
                #expect(after["cluster_manager.cluster_modified"] == 0)
                for (name, value) in before where name.hasSuffix(".membership_change") {
                    #expect(after[name] == value, "\(name) changed")
                }

                #expect(try await caller.freshAnswers() == home)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await successor.child.stop(grace: .seconds(20)) == .exited(0))
            }
        }

        @Test func `what changed during an outage arrives after it`() async throws {
            try await Stage.play(workers: 2) { stage in
                let (leaving, staying) = (try stage.call("leaving"), try stage.call("staying"))
                try stage.apply(leaving)
                try stage.apply(staying)
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(leaving.listeners.union(staying.listeners))

                #expect(try await stage.xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
                try stage.delete(leaving)
                let joining = try stage.call("joining")
                try stage.apply(joining)
                try stage.delete(stage.pod(of: "worker-1"))
                _ = try await stage.restartOperator()
                try await envoy.awaitListeners(joining.listeners.union(staying.listeners), within: .seconds(60))
                for call in [staying, joining] {
                    try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts([stage.workers[0]], of: call))
                }
                _ = try await staying.caller().freshAnswers()
            }
        }

        @Test func `probes answer`() async throws {
            try await Stage.play { stage in
                for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/nowhere", 404)] {
                    let answer = try await httpGet(path, from: stage.xdsOperator.probes)
                    #expect(answer.status == status, "\(path)")
                }
            }
        }

        @Test func `its log can be JSON`() async throws {
            try await Stage.play(arguments: ["--log-format", "json"]) { stage in
                for line in stage.xdsOperator.child.progress.value.lines {
                    #expect(line.hasPrefix("{") && line.hasSuffix("}"), "not JSON: \(line)")
                }
            }
        }

        @Test func `flags can come from the environment`() async throws {
            let manifests = try ManifestDirectory()
            let child = try await ChildProcess.start(
                name: "xds-operator", [try Programs.xdsOperator(), "serve"],
                environment: [
                    "XDS_OPERATOR_MANIFESTS": manifests.path, "XDS_OPERATOR_XDS_BIND_ADDRESS": "127.0.0.1:0",
                    "XDS_OPERATOR_METRICS_BIND_ADDRESS": "127.0.0.1:0", "XDS_OPERATOR_HEALTH_PROBE_BIND_ADDRESS": "127.0.0.1:0",
                    "XDS_OPERATOR_LOG_FORMAT": "json",
                ])
            _ = try await child.line("the address of the xDS server in JSON") {
                $0.hasPrefix("{") && $0.contains("xDS server listening") ? () : nil
            }
            #expect(try await child.stop(grace: .seconds(20)) == .exited(0))
        }

        @Test func `garbage on the xDS port harms nobody`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                var silent: [Descriptor] = []
                for garbage in Garbage.all {
                    let address = stage.xdsOperator.xds
                    let closed = try await Task.detached {
                        let connection = try Descriptor.tcp(connectedTo: address)
                        connection.send(garbage.bytes)
                        return garbage.endsConnection ? connection.isClosedByPeer(within: .seconds(30)) : true
                    }.value
                    #expect(closed, "the connection stays open after \(garbage.name)")
                    silent.append(try Descriptor.tcp(connectedTo: address))
                }

                let next = try stage.call("next")
                try stage.apply(next)
                try await envoy.awaitListeners(call.listeners.union(next.listeners))
                #expect(try await envoy.admin.statistic("control_plane.connected_state") == 1)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await httpGet("/healthz", from: stage.xdsOperator.probes).status == 200)
                withExtendedLifetime(silent) {}
                #expect(try await stage.xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
            }
        }

        private func counters(of envoy: EnvoyProcess, _ call: CallManifest) async throws -> [String: UInt64] {
            try await envoy.admin.statistics(containing: "listener_manager.")
                .merging(envoy.admin.statistics(containing: "cluster_manager.")) { first, _ in first }
                .merging(envoy.admin.statistics(containing: "membership_change")) { first, _ in first }
                .filter { !$0.key.contains("membership_change") || $0.key.contains(call.id) }
        }
    }
}
