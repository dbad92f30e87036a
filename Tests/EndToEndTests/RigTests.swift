import TestKit
import Testing

extension EndToEndTests {
    /// The rig itself against an Envoy with a static configuration: what the other suites see is the operator's doing, not the rig's.
    @Suite struct RigTests {
        @Test func `a static Envoy forwards, and a failed health check moves the flow`() async throws {
            let ground = try LoopbackReservation()
            let (listen, serve, health) = (try ground.port(), try ground.port(), try ground.port())
            let hosts = [ground.address(1), ground.address(2)]
            let envoy = try await EnvoyProcess.start(
                configuration: staticConfiguration(listen: listen, hosts: hosts, port: serve, health: health))
            var workers: [String: Worker] = [:]
            for (index, host) in hosts.enumerated() {
                workers["worker-\(index)"] = try await .started(
                    name: "worker-\(index)", host: host, ports: [serve], healthPort: health)
            }
            try await envoy.awaitReady()
            try await envoy.awaitHosts(of: "call", are: Set(hosts.map { SocketAddress($0, serve) }))
            try await envoy.awaitStatistic("cluster.call.membership_healthy") { $0 == 2 }
            #expect(try await envoy.admin.listeners()["call"] == SocketAddress("0.0.0.0", listen))
            #expect(try await envoy.admin.clusters() == ["call"])

            let caller = try Caller(name: "caller", ports: [listen])
            let first = try #require(try await caller.freshAnswers().first)
            let other = try #require(workers.keys.first { $0 != first })
            await workers[first]?.closeHealthPort()
            try await envoy.awaitStatistic("cluster.call.membership_healthy") { $0 == 1 }
            try await caller.awaitAnswers("answers of \(other)") { $0 == [other] }
            try await workers[first]?.openHealthPort()
            try await envoy.awaitStatistic("cluster.call.membership_healthy") { $0 == 2 }

            let streams = await caller.stop()
            #expect(streams[0].workers() == [first, other])
            #expect(streams[0].lost() <= 1)
            #expect(try await envoy.child.stop() == .exited(0))
        }

        @Test func `a caller counts what is not answered`() async throws {
            let ground = try LoopbackReservation()
            let ports = try ground.ports(2)
            let worker = try await Worker.started(
                name: "worker", host: ground.address(1), ports: ports, healthPort: try ground.port())
            let caller = try Caller(name: "caller", host: worker.host, ports: ports, interval: .milliseconds(2))
            #expect(try await caller.freshAnswers() == ["worker", "worker"])
            await worker.stop()
            let silent = caller.mark
            try await caller.awaitSent(10)
            try await worker.start()
            #expect(try await caller.freshAnswers() == ["worker", "worker"])
            for (stream, mark) in zip(await caller.stop(), silent) {
                #expect(stream.lost(from: mark) >= 9)
                #expect(stream.answers.count + stream.lost() == stream.sent)
            }
        }

        @Test func `a process that ends too early is reported with what it wrote`() async throws {
            let child = try await ChildProcess.start(name: "shell", ["/bin/sh", "-c", "echo sorry; exit 3"])
            #expect(try await child.awaitEnd(within: .seconds(10)) == .exited(3))
            let failure = await #expect(throws: EndedEarly.self) {
                try await child.line("a greeting") { $0 == "hello" ? () : nil }
            }
            #expect(failure?.description.contains("sorry") == true)
        }

        @Test func `a process and its children go with the last reference`() async throws {
            var child: ChildProcess? = try await ChildProcess.start(
                name: "shell", ["/bin/sh", "-c", "sleep 1000 & echo started; wait"])
            _ = try await child?.line("its start") { $0 == "started" ? () : nil }
            let progress = try #require(child?.progress)
            child = nil
            let end = try await progress.wait(for: "the end", within: .seconds(10)) { $0.end }
            #expect(end == .killed(9))
        }

        @Test func `an invalid configuration is refused with a reason`() async throws {
            let (isValid, output) = try await EnvoyProcess.validate(configuration: "static_resources: {listeners: 5}")
            #expect(!isValid)
            #expect(output.contains("listeners"))
        }

        private func staticConfiguration(listen: UInt16, hosts: [String], port: UInt16, health: UInt16) -> String {
            let endpoints = hosts.map { host in
                """
                              - endpoint:
                                  address: {socket_address: {address: \(host), port_value: \(port)}}
                                  health_check_config: {port_value: \(health)}
                """
            }
            return """
                admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
                static_resources:
                  listeners:
                    - name: call
                      address: {socket_address: {protocol: UDP, address: 0.0.0.0, port_value: \(listen)}}
                      listener_filters:
                        - name: envoy.filters.udp_listener.udp_proxy
                          typed_config:
                            "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig
                            stat_prefix: call
                            hash_policies: [{key: call}]
                            matcher:
                              on_no_match:
                                action:
                                  name: route
                                  typed_config:
                                    "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route
                                    cluster: call
                  clusters:
                    - name: call
                      type: STATIC
                      lb_policy: MAGLEV
                      common_lb_config: {healthy_panic_threshold: {value: 0}}
                      health_checks:
                        - timeout: 1s
                          interval: 0.1s
                          no_traffic_interval: 0.1s
                          unhealthy_threshold: 2
                          healthy_threshold: 1
                          tcp_health_check: {}
                      load_assignment:
                        cluster_name: call
                        endpoints:
                          - lb_endpoints:
                \(endpoints.joined(separator: "\n"))
                """
        }
    }
}
