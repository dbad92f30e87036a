import TestKit

/// What the example manifests promise: two calls and three workers.
enum Example {
    /// A call and the Envoy's ports for its four streams.
    struct Call: Sendable {
        var id: String
        var ports: [UInt16]
    }

    static let calls = [
        Call(id: "c1f00d", ports: [10000, 10001, 10018, 10019]),
        Call(id: "decade", ports: [10002, 10003, 10020, 10021]),
    ]
    static let streams = ["rtp from", "rtcp from", "rtp to", "rtcp to"]
    static let workers = [("worker-0", "127.0.1.1"), ("worker-1", "127.0.1.2"), ("worker-2", "127.0.1.3")]
    /// Every stream's worker port is its Envoy port and this.
    static let workerPortOffset: UInt16 = 20_000
    static let healthCheckPort: UInt16 = 1233
    static let ingressUID = "7d8d2c4e-0000-4000-8000-000000000000"
    /// In each call's cluster names, one per stream.
    static func cluster(_ call: Call, _ index: Int) -> String {
        let (kind, side) = (["rtp", "rtcp"][index % 2], index < 2 ? "from" : "to")
        return "ingress-c-\(kind)-\(call.id)-\(side)"
    }
}

/// Everything that runs: the operator on a copy of the examples, an Envoy and the workers.
struct Scene: Sendable {
    let manifests: ManifestDirectory
    let examples: String
    let workers: [Worker]
    let xdsOperator: OperatorProcess
    let envoy: EnvoyProcess

    /// Starts everything and waits until Envoy serves both calls with all workers.
    static func set(examples: String, _ terminal: Terminal) async throws -> Scene {
        terminal.headline("Setting the scene")
        let manifests = try ManifestDirectory()
        try manifests.copyManifests(from: examples)
        let ports = Example.calls.flatMap(\.ports).map { $0 + Example.workerPortOffset }
        for port in Example.calls.flatMap(\.ports) {
            // An Envoy would share the port silently.
            _ = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", port))
        }
        var workers: [Worker] = []
        for (name, host) in Example.workers {
            workers.append(try await .started(name: name, host: host, ports: ports, healthPort: Example.healthCheckPort))
        }
        terminal.row("workers", [workers.map { "\($0.name) on \($0.host)" }.joined(separator: ", ")])

        let xdsOperator = try await OperatorProcess.start(manifests: manifests.path)
        try await xdsOperator.awaitReady()
        terminal.row("operator", ["xDS on \(xdsOperator.xds), manifests in \(manifests.path)"])

        let clock = ContinuousClock()
        let start = clock.now
        let envoy = try await EnvoyProcess.start(configuration: try await xdsOperator.bootstrap(node: Example.ingressUID))
        do {
            try await envoy.awaitReady()
            for call in Example.calls {
                for index in call.ports.indices {
                    try await envoy.awaitStatistic("cluster.\(Example.cluster(call, index)).membership_healthy") {
                        $0 == Example.workers.count
                    }
                }
            }
        } catch {
            throw ProcessFailure(error, [envoy.child, xdsOperator.child])
        }
        terminal.row(
            "Envoy", ["serving both calls \(seconds(clock.now - start)) after its start, admin on http://\(envoy.admin.address)"])
        return Scene(manifests: manifests, examples: examples, workers: workers, xdsOperator: xdsOperator, envoy: envoy)
    }

    /// Puts back every pod of the examples.
    func restorePods() throws {
        try manifests.copyManifests(from: examples)
    }

    /// Says how to go on by hand.
    func explain(_ terminal: Terminal) {
        terminal.headline("Still running until Ctrl-C")
        for call in Example.calls {
            terminal.row("call \(call.id)", ["UDP ports \(call.ports.map(String.init).joined(separator: ", ")) of 127.0.0.1"])
        }
        terminal.row(
            "try",
            [
                "echo hello > /dev/udp/127.0.0.1/\(Example.calls[0].ports[0])   (in bash; or nc -u 127.0.0.1 \(Example.calls[0].ports[0]))"
            ])
        terminal.row("change", ["the files in \(manifests.path)"])
        terminal.row("Envoy", ["http://\(envoy.admin.address)/clusters"])
        terminal.row("operator", ["xDS \(xdsOperator.xds), metrics \(xdsOperator.metrics), probes \(xdsOperator.probes)"])
    }

    /// Ends everything in order.
    func clear() async {
        _ = try? await envoy.child.stop()
        _ = try? await xdsOperator.child.stop(grace: .seconds(10))
        for worker in workers { await worker.stop() }
    }
}

/// `duration` for a person, such as `0.04 s`.
func seconds(_ duration: Duration) -> String {
    let hundredths = Int((duration / .milliseconds(10)).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
}
