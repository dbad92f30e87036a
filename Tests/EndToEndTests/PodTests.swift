import TestKit
import Testing

extension EndToEndTests {
    /// Worker pods come, change and go while calls run.
    @Suite struct PodTests {
        @Test func `a pod that joins is a host, and live calls stay where they are`() async throws {
            try await Stage.play(workers: 3) { stage in
                let newcomer = stage.pod(of: "worker-2")
                try stage.delete(newcomer)
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let old = Array(stage.workers.prefix(2))
                try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(old, of: call))
                let caller = try call.caller()
                let before = try await caller.freshAnswers()

                try stage.apply(newcomer)
                try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(stage.workers, of: call))
                #expect(try await caller.freshAnswers() == before)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await envoy.admin.statistic("cluster_manager.cluster_modified") == 0)
            }
        }

        @Test func `a removed pod's call moves as one, other calls lose nothing`() async throws {
            try await Stage.play(workers: 3) { stage in
                let calls = try (0..<6).map { try stage.call("call\($0)") }
                for call in calls { try stage.apply(call) }
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(calls.reduce(into: []) { $0.formUnion($1.listeners) })
                let callers = try calls.map { try $0.caller() }
                var homes: [String] = []
                for caller in callers { homes.append(try #require(try await caller.freshAnswers().first)) }

                let gone = homes[0]
                try stage.delete(stage.pod(of: gone))
                for (caller, home) in zip(callers, homes) {
                    let answers = try await caller.awaitAnswers("answers of one worker that remains") {
                        Set($0).count == 1 && !$0.contains(gone)
                    }
                    if home != gone { #expect(Set(answers) == [home]) }
                }
                for (caller, home) in zip(callers, homes) {
                    let lost = await caller.stop().map { $0.lost() }
                    // A datagram may be on its way when its session moves.
                    if home == gone { #expect(lost.allSatisfy { $0 <= 1 }) } else { #expect(lost == [0, 0, 0, 0]) }
                }
            }
        }

        @Test func `a pod that is not ready gets no calls until it is`() async throws {
            try await Stage.play(workers: 2) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try #require(try await caller.freshAnswers().first)

                var pod = stage.pod(of: home)
                pod.isReady = false
                try stage.apply(pod)
                try await caller.awaitAnswers("answers of the ready worker") { Set($0).count == 1 && !$0.contains(home) }
                try await envoy.awaitStatistic("cluster.\(call.cluster(0)).membership_healthy") { $0 == 1 }

                pod.isReady = true
                try stage.apply(pod)
                try await envoy.awaitStatistic("cluster.\(call.cluster(0)).membership_healthy") { $0 == 2 }
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
            }
        }

        @Test func `a terminating pod keeps its live streams and gets no new ones`() async throws {
            try await Stage.play(workers: 2) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try #require(try await caller.freshAnswers().first)

                var pod = stage.pod(of: home)
                pod.isTerminating = true
                try stage.apply(pod)
                try await envoy.awaitStatistic("cluster.\(call.cluster(3)).membership_degraded") { $0 == 1 }
                #expect(Set(try await caller.freshAnswers()) == [home])
                #expect(try await !call.caller().freshAnswers().contains(home))
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
            }
        }

        @Test func `a pod whose address changes is reached at the new one`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                let moved = try await Worker.started(
                    name: "moved", host: stage.ground.address(77), ports: stage.workers[0].ports,
                    healthPort: stage.workers[0].healthPort)
                var pod = stage.pod(of: "worker-0")
                pod.address = moved.host
                try stage.apply(pod)
                try await caller.awaitAnswers("answers of the new address") { Set($0) == ["moved"] }
                try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts([moved], of: call))
            }
        }

        @Test func `the last pod's removal empties the clusters, and its return fills them`() async throws {
            try await Stage.play(workers: 2) { stage in
                let call = try stage.call("c1f00d", isHealthChecked: true)
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try #require(try await caller.freshAnswers().first)

                for worker in stage.workers { try stage.delete(stage.pod(of: worker.name)) }
                for index in call.streams.indices {
                    try await envoy.awaitHosts(of: call.cluster(index), are: [])
                }
                let empty = caller.mark
                try await caller.awaitSent(10)
                let silent = zip(caller.streams.value, empty).allSatisfy { $0.workers(from: $1).isEmpty }
                #expect(silent, "datagrams were answered although no pod is left")

                for worker in stage.workers { try stage.apply(stage.pod(of: worker.name)) }
                try await caller.awaitAnswers("answers of one worker") { Set($0) == [home] }
                #expect(try await envoy.admin.statistic("listener_manager.listener_modified") == 0)
                #expect(try await envoy.admin.statistic("cluster_manager.cluster_modified") == 0)
            }
        }

        @Test func `an object may come before any of its pods`() async throws {
            try await Stage.play(workers: 1) { stage in
                try stage.delete(stage.pod(of: "worker-0"))
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(call.listeners)
                try stage.apply(stage.pod(of: "worker-0"))
                #expect(Set(try await call.caller().freshAnswers()) == ["worker-0"])
            }
        }
    }

    /// Envoy's own health checks on the endpoints' health check port.
    @Suite struct HealthCheckTests {
        @Test func `a call leaves a worker that fails its checks`() async throws {
            try await Stage.play(workers: 3) { stage in
                let call = try stage.call("c1f00d", isHealthChecked: true)
                try stage.apply(call)
                let envoy = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try #require(try await caller.freshAnswers().first)
                let worker = try #require(stage.workers.first { $0.name == home })

                // It still answers datagrams: only the health check speaks against it.
                await worker.closeHealthPort()
                try await caller.awaitAnswers("answers of one other worker") { Set($0).count == 1 && !$0.contains(home) }
                #expect(caller.streams.value.allSatisfy { $0.lost(from: 0) <= 2 })

                try await worker.openHealthPort()
                for index in call.streams.indices {
                    try await envoy.awaitStatistic("cluster.\(call.cluster(index)).membership_healthy") { $0 == 3 }
                }
            }
        }

        @Test func `a call leaves a worker that dies without a word`() async throws {
            try await Stage.play(workers: 3) { stage in
                let call = try stage.call("c1f00d", isHealthChecked: true)
                try stage.apply(call)
                _ = try await stage.startEnvoy()
                let caller = try call.caller()
                let home = try #require(try await caller.freshAnswers().first)
                await stage.workers.first { $0.name == home }?.stop()
                try await caller.awaitAnswers("answers of one other worker") { Set($0).count == 1 && !$0.contains(home) }
            }
        }
    }
}
