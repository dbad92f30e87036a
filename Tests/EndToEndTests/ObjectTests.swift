import TestKit
import Testing

extension EndToEndTests {
    /// Objects come, change and go while an Envoy is connected.
    @Suite struct ObjectTests {
        @Test func `an added object is served, a deleted one is not, and its ports are free again`() async throws {
            try await Stage.play(workers: 1) { stage in
                let envoy = try await stage.startEnvoy()
                #expect(try await envoy.admin.listeners().isEmpty)

                let (first, second) = (try stage.call("first"), try stage.call("second"))
                try stage.apply(first)
                try await envoy.awaitListeners(first.listeners)
                try stage.apply(second)
                try await envoy.awaitListeners(first.listeners.union(second.listeners))
                let caller = try first.caller()
                _ = try await caller.freshAnswers()
                _ = try await second.caller().freshAnswers()

                try stage.delete(second)
                try await envoy.awaitListeners(first.listeners)
                try await envoy.wait("the clusters of the deleted call to go") { admin in
                    let clusters = try await admin.clusters()
                    return clusters.contains(second.cluster(0)) ? .unmet("\(clusters)") : .met(())
                }
                try await eventually("port \(second.ports[0]) to be free", within: .seconds(20)) { () -> Look<Void> in
                    _ = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", second.ports[0]))
                    return .met(())
                }
                _ = try await caller.freshAnswers()
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
            }
        }

        @Test func `an update of an object touches only what it changes`() async throws {
            try await Stage.play(workers: 1) { stage in
                var call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                // The last stream goes to another worker port: its cluster's endpoints move, and nothing else.
                let port = try stage.ground.port()
                let late = try await Worker.started(
                    name: "late", host: stage.workers[0].host, ports: [port], healthPort: try stage.ground.port())
                call.streams[3].workerPort = port
                try stage.apply(call)
                try await caller.awaitAnswers("answers of the new port") {
                    $0 == ["worker-0", "worker-0", "worker-0", late.name]
                }
                #expect(try await envoy.admin.statistic("listener_manager.listener_modified") == 0)
                #expect(try await envoy.admin.statistic("listener_manager.listener_added") == 4)

                // The last stream listens on another port: the same listener, modified.
                call.streams[3].port = try stage.ground.port()
                try stage.apply(call)
                #expect(try await Caller(name: "moved", ports: [call.ports[3]]).freshAnswers() == [late.name])
                #expect(try await envoy.admin.listeners()[call.listener(3)] == SocketAddress("0.0.0.0", call.ports[3]))

                let streams = await caller.stop()
                #expect(streams.prefix(3).map { $0.lost() } == [0, 0, 0])
            }
        }

        @Test func `a listener leaves an object while the others stay`() async throws {
            try await Stage.play(workers: 1) { stage in
                var call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try Caller(name: "caller", ports: Array(call.ports.prefix(3)))
                _ = try await caller.freshAnswers()
                call.streams.removeLast()
                try stage.apply(call)
                try await envoy.awaitListeners(call.listeners)
                _ = try await caller.freshAnswers()
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0])
            }
        }

        @Test func `an object whose selector matches nothing reaches nobody until a pod matches`() async throws {
            try await Stage.play(workers: 1) { stage in
                var nobody = try stage.call("nobody")
                // One of two pairs matches: all must.
                nobody.selector = ["app": "envoy-ingress", "zone": "north"]
                try stage.apply(nobody)
                let envoy = try await stage.startEnvoy()
                let everybody = try stage.call("everybody")
                try stage.apply(everybody)
                try await envoy.awaitListeners(everybody.listeners)
                #expect(try await !envoy.admin.clusters().contains(nobody.cluster(0)))

                var ingress = stage.ingress
                ingress.labels["zone"] = "north"
                try stage.apply(ingress)
                try await envoy.awaitListeners(everybody.listeners.union(nobody.listeners))
                _ = try await nobody.caller().freshAnswers()

                try stage.apply(stage.ingress)
                try await envoy.awaitListeners(everybody.listeners)
            }
        }

        @Test func `objects and pods of another namespace are not mixed`() async throws {
            try await Stage.play(workers: 1) { stage in
                var elsewhere = try stage.call("elsewhere")
                elsewhere.namespace = "other"
                try stage.apply(elsewhere)
                let here = try stage.call("here")
                try stage.apply(here)
                var stranger = Stage.pod(of: stage.workers[0])
                stranger.name = "stranger"
                stranger.namespace = "other"
                stranger.address = stage.ground.address(99)
                try stage.apply(stranger)
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(here.listeners)
                try await envoy.awaitHosts(of: here.cluster(0), are: stage.hosts(stage.workers, of: here))
            }
        }

        @Test func `of two claims to a port the first keeps it, and the other gets it later`() async throws {
            try await Stage.play(workers: 1) { stage in
                let first = try stage.call("a-first")
                var second = try stage.call("b-second")
                second.streams[0].port = first.streams[0].port
                try stage.apply(first)
                try stage.apply(second)
                let envoy = try await stage.startEnvoy()
                let withheld = second.listener(0)
                try await envoy.awaitListeners(first.listeners.union(second.listeners).subtracting([withheld]))
                #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") == 0)
                try stage.delete(first)
                try await envoy.awaitListeners(second.listeners)
                _ = try await second.caller().freshAnswers()
            }
        }

        @Test func `a file that breaks keeps its last good form in service`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                try stage.manifests.write("call-c1f00d.yaml", call.yaml.replacing("udp:", with: "udp: ["))
                let marker = try stage.call("marker")
                try stage.apply(marker)
                try await envoy.awaitListeners(call.listeners.union(marker.listeners))
                _ = try await stage.xdsOperator.child.line("a report of the broken file") {
                    $0.contains("call-c1f00d.yaml") ? () : nil
                }

                var repaired = call
                repaired.streams.removeLast()
                try stage.apply(repaired)
                try await envoy.awaitListeners(repaired.listeners.union(marker.listeners))
                #expect(await caller.stop().prefix(3).map { $0.lost() } == [0, 0, 0])
            }
        }
    }
}
