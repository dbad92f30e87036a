import TestKit
import Testing

extension EndToEndTests {
    /// Datagrams reach the endpoints of an object, and the answers come back.
    @Suite struct ForwardingTests {
        enum Discovery: String, CaseIterable { case edsSelector, dnsSelector, edsAddress, dnsAddress, dnsName }

        @Test(arguments: Discovery.allCases) func `forwards both ways`(_ discovery: Discovery) async throws {
            try await Stage.play(workers: 1) { stage in
                var call = try stage.call("c1f00d")
                call.serviceDiscovery = discovery.rawValue.hasPrefix("eds") ? "eds" : "strictdns"
                let worker = stage.workers[0]
                switch discovery {
                case .edsSelector, .dnsSelector: break
                case .edsAddress, .dnsAddress: call.host = .address(worker.host)
                case .dnsName: call.host = .address("localhost")
                }
                if discovery == .dnsName {
                    let port = try stage.ground.port()
                    call.streams = [.init(port: try stage.ground.port(), workerPort: port)]
                    let local = try await Worker.started(
                        name: "local", host: "127.0.0.1", ports: [port], healthPort: try stage.ground.port())
                    try stage.apply(call)
                    _ = try await stage.startEnvoy()
                    #expect(try await call.caller().freshAnswers() == [local.name])
                } else {
                    try stage.apply(call)
                    let envoy = try await stage.startEnvoy()
                    let caller = try call.caller()
                    #expect(try await caller.freshAnswers() == ["worker-0", "worker-0", "worker-0", "worker-0"])
                    try await caller.awaitSent(20)
                    #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                    try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(stage.workers, of: call))
                }
            }
        }

        @Test func `without a hash key one source address reaches one worker`() async throws {
            try await Stage.play(workers: 3) { stage in
                var call = try stage.call("keyless")
                call.hashKey = nil
                try stage.apply(call)
                _ = try await stage.startEnvoy()
                #expect(Set(try await call.caller().freshAnswers()).count == 1)
            }
        }

        @Test func `a raised limit lets large datagrams pass`() async throws {
            try await Stage.play(workers: 1) { stage in
                var call = try stage.call("large")
                call.maximumDatagramSize = 9000
                try stage.apply(call)
                _ = try await stage.startEnvoy()
                _ = try await call.caller().freshAnswers()
                let socket = try Descriptor.udp(connectedTo: SocketAddress("127.0.0.1", call.ports[0]))
                #expect(socket.send([UInt8](repeating: UInt8(ascii: "x"), count: 4000)))
                #expect(socket.waitReadable(within: .seconds(5)))
                #expect(socket.receive()?.count == 4000 + "worker-0 ".utf8.count)
            }
        }
    }

    /// All clusters of a call choose the same worker although their ports differ.
    @Suite struct StickinessTests {
        @Test(arguments: [3, 5]) func `the four streams of a call reach one worker`(_ workers: Int) async throws {
            try await Stage.play(workers: workers) { stage in
                let calls = try (0..<10).map { try stage.call("call\($0)") }
                for call in calls { try stage.apply(call) }
                let envoy = try await stage.startEnvoy()
                try await envoy.awaitListeners(calls.reduce(into: []) { $0.formUnion($1.listeners) })

                var chosen: Set<String> = []
                for call in calls {
                    // Two callers: the choice follows the call, not the source port.
                    let (first, second) = (try call.caller(), try call.caller())
                    let answers = try await first.freshAnswers() + second.freshAnswers()
                    #expect(Set(answers).count == 1, "call \(call.id) was answered by \(answers)")
                    chosen.formUnion(answers)
                }
                #expect(chosen.count > 1, "every call went to \(chosen): the key has no effect")
            }
        }
    }
}
