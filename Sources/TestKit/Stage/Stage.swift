/// One operator on its own manifests, with the workers of a test; Envoys and calls join as the test plays.
public struct Stage: Sendable {
    /// Ports and addresses of its own.
    public let ground: LoopbackReservation
    /// What the operator reads, unless it was given another store.
    public let manifests: ManifestDirectory
    /// Where its objects and pods go.
    public let objects: any ObjectStore
    /// The operator that was started first.
    public let xdsOperator: OperatorProcess
    /// The workers that run from the start, each with a pod.
    public let workers: [Worker]
    private let healthPort: UInt16
    private let workerPorts: [UInt16]
    private let placement: Placement
    private let processes: Observed<[ChildProcess]>

    /// The pod of the ingress Envoy.
    public let ingress = PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1")

    /// Plays `story` on a stage with `count` running workers and their pods; a failure carries the last log lines of every process.
    ///
    /// - Parameters:
    ///   - objects: where the objects are; a new directory of manifests by default.
    ///   - ingressIsKnown: whether the pod of the ingress Envoy exists from the start.
    ///   - placement: where and how the operator runs.
    public static func play(
        workers count: Int = 0, objects store: (any ObjectStore)? = nil, ingressIsKnown: Bool = true, arguments: [String] = [],
        placement: Placement = Placement(), _ story: (Stage) async throws -> Void
    ) async throws {
        let ground = try LoopbackReservation()
        let manifests = try ManifestDirectory()
        let objects = store ?? manifests
        let healthPort = try ground.port()
        let workerPorts = try ground.ports(4)
        var workers: [Worker] = []
        for index in 0..<count {
            workers.append(
                try await .started(
                    name: "worker-\(index)", host: ground.address(index + 1), ports: workerPorts, healthPort: healthPort))
        }
        for worker in workers {
            try objects.write("pod-\(worker.name).yaml", pod(of: worker).yaml)
        }
        let xdsOperator = try await OperatorProcess.start(
            source: objects.operatorOptions, xdsPort: try ground.port(), arguments: arguments, placement: placement)
        let stage = Stage(
            ground: ground, manifests: manifests, objects: objects, xdsOperator: xdsOperator, workers: workers,
            healthPort: healthPort,
            workerPorts: workerPorts, placement: placement, processes: Observed([xdsOperator.child]))
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
    public func call(_ id: String, isHealthChecked: Bool = false) throws -> CallManifest {
        CallManifest(
            id: id, streams: try workerPorts.map { .init(port: try ground.port(), workerPort: $0) },
            healthCheckPort: isHealthChecked ? healthPort : nil)
    }

    /// Writes the object of a call.
    public func apply(_ call: CallManifest) throws { try objects.write("call-\(call.id).yaml", call.yaml) }

    /// Writes a pod.
    public func apply(_ pod: PodManifest) throws { try objects.write("pod-\(pod.name).yaml", pod.yaml) }

    /// Removes the object of a call.
    public func delete(_ call: CallManifest) throws { try objects.remove("call-\(call.id).yaml") }

    /// Removes a pod.
    public func delete(_ pod: PodManifest) throws { try objects.remove("pod-\(pod.name).yaml") }

    /// The pod of a worker.
    public static func pod(of worker: Worker) -> PodManifest {
        PodManifest(worker.name, labels: ["app": "worker"], address: worker.host)
    }

    /// The pod of the worker of this name.
    public func pod(of name: String) -> PodManifest {
        PodManifest(name, labels: ["app": "worker"], address: workers.first { $0.name == name }?.host)
    }

    /// Where `call`'s stream `index` reaches `workers`.
    public func hosts(_ workers: [Worker], of call: CallManifest, _ index: Int = 0) -> Set<SocketAddress> {
        Set(workers.map { SocketAddress($0.host, call.streams[index].workerPort) })
    }

    // MARK: - Processes

    /// Starts an Envoy with the bootstrap that the operator prints; it is the ingress pod's unless `node` says otherwise.
    ///
    /// - Parameter edit: changes the bootstrap before the Envoy reads it.
    public func startEnvoy(
        _ name: String = "envoy", node: String? = nil, isReady: Bool = true, form: DiscoveryForm = .delta,
        edit: (String) -> String = { $0 }
    ) async throws -> EnvoyProcess {
        let printed = try await xdsOperator.bootstrap(node: node ?? ingress.uid, api: form.api)
        let envoy = try await EnvoyProcess.start(name: name, configuration: edit(form.bootstrap(printed)))
        watch(envoy.child)
        if isReady { try await envoy.awaitReady() }
        return envoy
    }

    /// Starts another operator in place of the one that ended.
    public func restartOperator() async throws -> OperatorProcess {
        try await startOperator(port: xdsOperator.xds.port)
    }

    /// Starts a further operator on the same objects, and waits until it has read them.
    public func startOperator(port: UInt16) async throws -> OperatorProcess {
        let successor = try await OperatorProcess.start(
            source: objects.operatorOptions, xdsPort: port, placement: placement)
        watch(successor.child)
        try await successor.awaitReady()
        return successor
    }

    /// Adds a process to those whose logs a failure shows.
    public func watch(_ child: ChildProcess) {
        processes.update { $0.append(child) }
    }
}

extension CallManifest {
    /// The names of all its listeners.
    public var listeners: Set<String> { Set(streams.indices.map(listener)) }

    /// The Envoy's ports.
    public var ports: [UInt16] { streams.map(\.port) }

    /// Starts its caller.
    ///
    /// - Parameter interval: between two datagrams of a stream.
    public func caller(interval: Duration = .milliseconds(20)) throws -> Caller {
        try Caller(name: id, ports: ports, interval: interval)
    }
}
