import TestKit
import Testing

extension EndToEndTests {
    /// TCP listeners: who serves a connection follows its source address, and a connection stays where it is.
    @Suite struct ConnectionTests {
        private static let forms: [DiscoveryForm] = [.delta, .stateOfTheWorld]

        /// A TCP call of one listener towards `workers`.
        private func call(_ id: String, _ stage: Stage, port: UInt16) throws -> CallManifest {
            var call = CallManifest(id: id, streams: [.init(port: try stage.ground.port(), workerPort: port)])
            call.transport = "tcp"
            call.hashKey = nil
            return call
        }

        private func workers(_ count: Int, _ stage: Stage, port: UInt16) throws -> [ConnectionWorker] {
            try (0..<count).map {
                try ConnectionWorker(name: "tcp-\($0)", address: SocketAddress(stage.ground.address($0 + 1), port))
            }
        }

        private func pod(of worker: ConnectionWorker) -> PodManifest {
            PodManifest(worker.name, labels: ["app": "worker"], address: worker.address.host)
        }

        @Test(arguments: forms) func `connections of one source address reach one worker`(_ form: DiscoveryForm) async throws {
            try await Stage.play { stage in
                let port = try stage.ground.port()
                let workers = try workers(4, stage, port: port)
                for worker in workers { try stage.apply(pod(of: worker)) }
                let call = try call("c1f00d", stage, port: port)
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(form: form)
                try await envoy.awaitListeners(call.listeners)
                let listener = SocketAddress("127.0.0.1", call.ports[0])
                var chosen: [String: Set<String>] = [:]
                for round in 0..<3 {
                    for index in 100..<140 {
                        let source = stage.ground.address(index)
                        let connection = try await ClientConnection.open(to: listener, from: source)
                        chosen[source, default: []].insert(try await connection.ask("hello-\(round)"))
                    }
                }
                for (source, answered) in chosen { #expect(answered.count == 1, "\(source) was answered by \(answered)") }
                #expect(Set(chosen.values.joined()).count == workers.count, "not every worker is used: \(chosen)")
                withExtendedLifetime(workers) {}
            }
        }

        @Test(arguments: forms) func `live connections stay while workers and other listeners change`(_ form: DiscoveryForm)
            async throws
        {
            try await Stage.play { stage in
                let port = try stage.ground.port()
                let workers = try workers(4, stage, port: port)
                for worker in workers.prefix(3) { try stage.apply(pod(of: worker)) }
                let call = try call("c1f00d", stage, port: port)
                var other = try self.call("other", stage, port: port)
                for manifest in [call, other] { try stage.apply(manifest) }
                let envoy = try await stage.startEnvoy(form: form)
                try await envoy.awaitListeners(call.listeners.union(other.listeners))
                var live: [(connection: ClientConnection, home: String)] = []
                for index in 100..<120 {
                    let connection = try await ClientConnection.open(
                        to: SocketAddress("127.0.0.1", call.ports[0]), from: stage.ground.address(index))
                    live.append((connection, try await connection.ask("hello")))
                }
                func expectAllAtHome(after event: String) async throws {
                    for (connection, home) in live { #expect(try await connection.ask("still") == home, "after \(event)") }
                }

                try stage.apply(pod(of: workers[3]))
                try await envoy.awaitHosts(of: call.cluster(0), are: Set(workers.map(\.address)))
                try await expectAllAtHome(after: "a worker joined")

                other.streams[0].port = try stage.ground.port()
                try stage.apply(other)
                try await envoy.awaitStatistic("listener_manager.listener_modified") { $0 == 1 }
                try await expectAllAtHome(after: "another listener changed")

                var leaving = pod(of: workers[0])
                leaving.isTerminating = true
                try stage.apply(leaving)
                try await envoy.awaitStatistic("cluster.\(call.cluster(0)).membership_degraded") { $0 == 1 }
                try await expectAllAtHome(after: "a worker began to terminate")

                try stage.delete(other)
                try await envoy.awaitListeners(call.listeners)
                try await expectAllAtHome(after: "another listener went")
                #expect(try await envoy.admin.statistic("cluster_manager.cluster_modified") == 0)
                withExtendedLifetime(workers) {}
            }
        }
    }
}
