import TestKit
import Testing

extension EndToEndTests {
    /// An Envoy rejects part of what it is sent; the rest reaches it, and so does the rejected part as soon as it can.
    @Suite struct RejectionTests {
        static let forms: [DiscoveryForm] = [.delta, .stateOfTheWorld]

        @Test(arguments: forms) func `a listener on a port that another process holds is withheld until the port is free`(
            _ form: DiscoveryForm
        ) async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(form: form)
                try await envoy.awaitListeners(call.listeners)
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                // One change takes a listener away and adds one that can't be.
                let port = try stage.ground.port()
                var held: Descriptor? = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", port))
                let edited = call.yaml.replacing(call.listener(3), with: "blocked").replacing("\(call.ports[3])", with: "\(port)")
                try stage.manifests.write("call-\(call.id).yaml", edited)
                let rest = call.listeners.subtracting([call.listener(3)])
                // The removal in the rejected response counts.
                try await envoy.awaitListeners(rest)
                try await expectRejection("blocked", "Address already in use", stage, envoy)

                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(rest.union(second.listeners))
                #expect(held != nil)
                held = nil

                // Whatever changes next may have been the rival's going.
                let third = try stage.call("third")
                try stage.apply(third)
                try await stage.delete(second, thenAwait: rest.union(third.listeners).union(["blocked"]), envoy)
                #expect(try await Caller(name: "freed", ports: [port]).freshAnswers() == ["worker-0"])
                #expect(await caller.stop().prefix(3).map { $0.lost() } == [0, 0, 0])
                #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") <= 3)
            }
        }

        /// Nothing changes that would be a reason to try again but the time.
        @Test(arguments: forms) func `a port that another process leaves is taken though nothing else changes`(
            _ form: DiscoveryForm
        )
            async throws
        {
            try await Stage.play(workers: 1) { stage in
                let envoy = try await stage.startEnvoy(form: form)
                let call = try stage.call("c1f00d")
                var held: Descriptor? = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", call.ports[0]))
                try stage.apply(call)
                try await envoy.awaitListeners(call.listeners.subtracting([call.listener(0)]))
                try await expectRejection(call.listener(0), "Address already in use", stage, envoy)
                #expect(held != nil)
                held = nil
                try await envoy.awaitListeners(call.listeners, within: .seconds(60))
                #expect(Set(try await call.caller().freshAnswers()) == ["worker-0"])
            }
        }

        @Test(arguments: forms) func `a later good version heals a rejected one`(_ form: DiscoveryForm) async throws {
            try await Stage.play(workers: 1) { stage in
                let envoy = try await stage.startEnvoy(form: form)
                var call = try stage.call("c1f00d")
                let held = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", call.ports[0]))
                try stage.apply(call)
                try await envoy.awaitListeners(call.listeners.subtracting([call.listener(0)]))
                try await expectRejection(call.listener(0), "Address already in use", stage, envoy)
                call.streams[0].port = try stage.ground.port()
                try stage.apply(call)
                try await envoy.awaitListeners(call.listeners)
                #expect(Set(try await call.caller().freshAnswers()) == ["worker-0"])
                #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") <= 2)
                withExtendedLifetime(held) {}
            }
        }

        @Test(arguments: forms) func `a port of the bootstrap's own listener stays its own`(_ form: DiscoveryForm) async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                let envoy = try await stage.startEnvoy(form: form) { bootstrap in
                    bootstrap.replacing("static_resources:\n", with: staticListener(on: call.ports[0]))
                }
                try stage.apply(call)
                let served = call.listeners.subtracting([call.listener(0)]).union(["fixed"])
                try await envoy.awaitListeners(served)
                try await expectRejection(call.listener(0), "duplicate address", stage, envoy)
                // It is tried again, ever more seldom, and harms nobody.
                var others: Set<String> = []
                for index in 0..<6 {
                    let other = try stage.call("other-\(index)")
                    try stage.apply(other)
                    others.formUnion(other.listeners)
                    try await envoy.awaitListeners(served.union(others))
                }
                #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") <= 5)
            }
        }

        @Test(arguments: forms) func `a listener takes the port that another one leaves in the same change`(
            _ form: DiscoveryForm
        ) async throws {
            try await Stage.play(workers: 1) { stage in
                var call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await stage.startEnvoy(form: form)
                try await envoy.awaitListeners(call.listeners)
                // Envoy looks at the first one before the second has left, and rejects it.
                call.streams[0].port = call.streams[1].port
                call.streams[1].port = try stage.ground.port()
                try stage.apply(call)
                let expected = Dictionary(
                    uniqueKeysWithValues: call.streams.indices.map {
                        (call.listener($0), SocketAddress("0.0.0.0", call.ports[$0]))
                    })
                try await envoy.wait("the ports to change hands") { admin in
                    let listeners = try await admin.listeners()
                    return listeners == expected ? .met(()) : .unmet("\(listeners)")
                }
                #expect(Set(try await call.caller().freshAnswers()) == ["worker-0"])
            }
        }

        /// The operator's log names the listener, and has Envoy's own words.
        private func expectRejection(_ listener: String, _ words: String, _ stage: Stage, _ envoy: EnvoyProcess) async throws {
            _ = try await stage.xdsOperator.child.line("a report that \(listener) was rejected") {
                $0.contains("rejected") && $0.contains(listener) && $0.contains(words) ? () : nil
            }
            #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") >= 1)
        }

        private func staticListener(on port: UInt16) -> String {
            """
            static_resources:
              listeners:
                - name: fixed
                  address: {socket_address: {protocol: UDP, address: 0.0.0.0, port_value: \(port)}}
                  listener_filters:
                    - name: envoy.filters.udp_listener.udp_proxy
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig
                        stat_prefix: fixed
                        matcher:
                          on_no_match:
                            action:
                              name: route
                              typed_config:
                                "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route
                                cluster: xds-operator

            """
        }
    }
}

extension Stage {
    fileprivate func delete(_ call: CallManifest, thenAwait listeners: Set<String>, _ envoy: EnvoyProcess) async throws {
        try delete(call)
        try await envoy.awaitListeners(listeners)
    }
}
