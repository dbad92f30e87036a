import Domain
import EnvoyAPI
import GRPC
import Kubernetes
import Logging
import RPCTestClient
import ServiceLifecycle
import SwiftProtobuf
import Testing
import Translation
import Transport

@testable import ControlPlane

/// The whole control plane on a free port, fed by hand.
struct TestPlane {
    static let deltaPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

    let address: SocketAddress
    let virtualServices: VirtualServiceWatcher
    let pods: PodWatcher
    let metrics: StreamMetrics

    /// Serves while `body` runs.
    static func with(
        access: AccessControl? = nil, limits: StreamLimits = StreamLimits(), answerTimeout: Duration = .seconds(300),
        stallTimeout: Duration = .seconds(60),
        waitingPatience: Duration = .seconds(10), statusAnswerLimit: Int = 32 << 20,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        _ body: (TestPlane) async throws -> Void
    ) async throws {
        let (changed, resolved) = (Bell(), Bell())
        let virtualServices = VirtualServiceWatcher(bell: changed)
        let pods = PodWatcher(bell: changed)
        let resolver = EndpointResolver(
            virtualServices: virtualServices, pods: pods, crossesNamespaces: false, changed: changed, resolved: resolved)
        let readiness = Readiness()
        let cache = SnapshotCache(
            resolver: resolver, resolved: resolved, translator: Translator(), readiness: readiness, logger: logger)
        let loops = try EventLoopGroup(count: 2)
        let metrics = StreamMetrics()
        let discovery = DiscoveryService(
            cache: cache, resolver: resolver, loops: loops, readiness: readiness, metrics: metrics, access: access,
            answerTimeout: answerTimeout, limits: limits, waitingPatience: waitingPatience, statusAnswerLimit: statusAnswerLimit,
            logger: logger)
        let router: any RPCRouter = access.map { GuardedRouter(discovery, access: $0) } ?? discovery
        var configuration = ServerConfiguration(bindAddress: try SocketAddress("127.0.0.1:0"))
        configuration.stallTimeout = stallTimeout
        let server = try RPCServer(configuration: configuration, loops: loops, router: router, logger: logger)
        let group = ServiceGroup(
            services: [resolver, cache, discovery] + (access?.reviewer.map { [$0] } ?? []) + [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(
                TestPlane(address: server.boundAddress, virtualServices: virtualServices, pods: pods, metrics: metrics))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Both sources have said everything there is.
    func sync(_ services: [VirtualService] = [], _ pods: [Pod] = []) async {
        await self.pods.receive(.restarted)
        await virtualServices.receive(.restarted)
        for pod in pods { await self.pods.receive(.applied(pod)) }
        for service in services { await virtualServices.receive(.applied(service)) }
        await self.pods.receive(.synced)
        await virtualServices.receive(.synced)
    }

    func connect(_ path: String = deltaPath) async throws -> TestStream {
        let client = try await TestClient(address)
        return TestStream(client: client, id: await client.open(path))
    }
}

/// One RPC of a client.
struct TestStream {
    typealias Request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest
    typealias Response = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse

    let client: TestClient
    let id: Int32

    func send(_ type: String, node: String = "", _ fill: (inout Request) -> Void = { _ in }) async throws {
        var request = Request()
        request.typeURL = type
        if !node.isEmpty { request.node.id = node }
        fill(&request)
        let bytes: [UInt8] = try request.serializedBytes()
        await client.perform { [id] in $0.send(id, bytes) }
    }

    /// The response of the given number, counted from 0.
    func response(_ number: Int) async throws -> Response {
        try await client.until { [id] in ($0.session.streams[id]?.messages.count ?? 0) > number }
        let bytes = await client.perform { [id] in $0.streams[id]?.messages[number] ?? [] }
        return try Response(serializedBytes: bytes)
    }

    /// How many responses have come.
    func responseCount() async -> Int { await client.perform { [id] in $0.streams[id]?.messages.count ?? 0 } }

    /// The `grpc-status` with which the server ends the RPC.
    func status() async throws -> String? {
        try await client.until { [id] in $0.session.streams[id]?.isEnded == true }
        return await client.perform { [id] in $0.streams[id]?.value("grpc-status") }
    }
}

let clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
let listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener"

func envoyPod(_ name: String, labels: [String: String] = ["app": "envoy"]) -> Pod {
    Pod(
        metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: name), uid: "uid-\(name)"), labels: labels,
        addresses: [], phase: .running, isReady: true)
}

func call(_ name: String, port: Int) throws -> VirtualService {
    let endpoint = EndpointIntent(
        name: "e", host: .address(try #require(IPAddress("127.0.0.1"))), port: try #require(PortNumber(4000)))
    let cluster = ClusterIntent(name: "c-\(name)", serviceDiscovery: .strictDNS, endpoints: [endpoint])
    return VirtualService(
        metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: name)),
        selector: try #require(LabelSelector(labels: ["app": "envoy"])),
        listeners: [
            ListenerIntent(name: "l-\(name)", transport: .udp, port: try #require(PortNumber(port)), cluster: cluster)
        ])
}
