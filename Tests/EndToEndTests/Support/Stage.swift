import TestKit

/// One operator on its own manifests, with the workers of a test; Envoys and calls join as the test plays.
struct Stage: Sendable {
    let ground: LoopbackReservation
    let manifests: ManifestDirectory
    let xdsOperator: OperatorProcess
    let workers: [Worker]
    private let healthPort: UInt16
    private let workerPorts: [UInt16]
    private let processes: Observed<[ChildProcess]>

    /// The pod of the ingress Envoy.
    let ingress = PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1")

    /// Plays `story` on a stage with `count` running workers and their pods; a failure carries the last log lines of every process.
    ///
    /// - Parameter ingressIsKnown: whether the pod of the ingress Envoy exists from the start.
    static func play(
        workers count: Int = 0, ingressIsKnown: Bool = true, arguments: [String] = [],
        _ story: (Stage) async throws -> Void
    ) async throws {
        let ground = try LoopbackReservation()
        let manifests = try ManifestDirectory()
        let healthPort = try ground.port()
        let workerPorts = try ground.ports(4)
        var workers: [Worker] = []
        for index in 0..<count {
            workers.append(
                try await .started(
                    name: "worker-\(index)", host: ground.address(index + 1), ports: workerPorts, healthPort: healthPort))
        }
        for worker in workers {
            try manifests.write("pod-\(worker.name).yaml", pod(of: worker).yaml)
        }
        let xdsOperator = try await OperatorProcess.start(
            manifests: manifests.path, xdsPort: try ground.port(), arguments: arguments)
        let stage = Stage(
            ground: ground, manifests: manifests, xdsOperator: xdsOperator, workers: workers, healthPort: healthPort,
            workerPorts: workerPorts, processes: Observed([xdsOperator.child]))
        if ingressIsKnown { try stage.apply(stage.ingress) }
        do {
            try await xdsOperator.awaitReady()
            try await story(stage)
        } catch {
            throw ProcessFailure(error, stage.processes.value)
        }
    }

    // MARK: - Objects

    /// A call of four streams towards the workers, on ports of its own.
    func call(_ id: String, isHealthChecked: Bool = false) throws -> CallManifest {
        CallManifest(
            id: id, streams: try workerPorts.map { .init(port: try ground.port(), workerPort: $0) },
            healthCheckPort: isHealthChecked ? healthPort : nil)
    }

    func apply(_ call: CallManifest) throws { try manifests.write("call-\(call.id).yaml", call.yaml) }

    func apply(_ pod: PodManifest) throws { try manifests.write("pod-\(pod.name).yaml", pod.yaml) }

    func delete(_ call: CallManifest) throws { try manifests.remove("call-\(call.id).yaml") }

    func delete(_ pod: PodManifest) throws { try manifests.remove("pod-\(pod.name).yaml") }

    static func pod(of worker: Worker) -> PodManifest {
        PodManifest(worker.name, labels: ["app": "worker"], address: worker.host)
    }

    func pod(of name: String) -> PodManifest {
        PodManifest(name, labels: ["app": "worker"], address: workers.first { $0.name == name }?.host)
    }

    /// Where `call`'s stream `index` reaches `workers`.
    func hosts(_ workers: [Worker], of call: CallManifest, _ index: Int = 0) -> Set<SocketAddress> {
        Set(workers.map { SocketAddress($0.host, call.streams[index].workerPort) })
    }

    // MARK: - Processes

    /// Starts an Envoy with the bootstrap that the operator prints; it is the ingress pod's unless `node` says otherwise.
    func startEnvoy(_ name: String = "envoy", node: String? = nil, isReady: Bool = true, form: DiscoveryForm = .delta)
        async throws
        -> EnvoyProcess
    {
        let envoy = try await EnvoyProcess.start(
            name: name, configuration: form.bootstrap(try await xdsOperator.bootstrap(node: node ?? ingress.uid, api: form.api)))
        watch(envoy.child)
        if isReady { try await envoy.awaitReady() }
        return envoy
    }

    /// Starts another operator in place of the one that ended.
    func restartOperator() async throws -> OperatorProcess {
        let successor = try await OperatorProcess.start(manifests: manifests.path, xdsPort: xdsOperator.xds.port)
        watch(successor.child)
        try await successor.awaitReady()
        return successor
    }

    /// Adds a process to those whose logs a failure shows.
    func watch(_ child: ChildProcess) {
        processes.update { $0.append(child) }
    }
}

extension CallManifest {
    /// The names of all its listeners.
    var listeners: Set<String> { Set(streams.indices.map(listener)) }

    /// The Envoy's ports.
    var ports: [UInt16] { streams.map(\.port) }

    /// Starts its caller.
    func caller() throws -> Caller { try Caller(name: id, ports: ports) }
}
