import EnvoyAPI
import GRPC
import SwiftProtobuf
import Transport

/// One RPC of `grpc.health.v1.Health`, the service that Kubernetes' gRPC probes ask: SERVING once the first complete state is published.
actor HealthStream: RPCReceiver {
    /// The methods.
    enum Method: String {
        case check = "/grpc.health.v1.Health/Check"
        case watch = "/grpc.health.v1.Health/Watch"
        case list = "/grpc.health.v1.Health/List"
    }

    private typealias ServingStatus = Grpc_Health_V1_HealthCheckResponse.ServingStatus

    /// How often a watch looks whether the state has changed.
    private static let interval = Duration.milliseconds(500)
    /// Services that may be asked about by name; the empty name is the server as a whole.
    private static let services = Set(ReflectionIndex.embedded.services).union([""])

    private nonisolated let responder: any RPCResponder
    private let loop: EventLoop
    private let method: Method
    private let readiness: Readiness
    private var service: String?
    private var last: ServingStatus?
    private var hasEnded = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(_ method: Method, responder: any RPCResponder, loop: EventLoop, readiness: Readiness) {
        self.method = method
        self.responder = responder
        self.loop = loop
        self.readiness = readiness
    }

    nonisolated func received(_ message: [UInt8]) { assumeIsolated { $0.take(message) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.takeEnd() } }
    nonisolated func drained() {}
    nonisolated func shutdown() { assumeIsolated { $0.finish(Status(.unavailable, "the server ends this stream")) } }
    nonisolated func closed() { assumeIsolated { $0.hasEnded = true } }

    private func take(_ message: [UInt8]) {
        guard service == nil, !hasEnded else { return }
        // A list request has no fields: it is about the server as a whole.
        guard let request = try? Grpc_Health_V1_HealthCheckRequest(serializedBytes: message) else {
            return finish(Status(.invalidArgument, "not a HealthCheckRequest"))
        }
        service = method == .list ? "" : request.service
        switch method {
        case .check:
            guard status != .serviceUnknown else { return finish(Status(.notFound, "no service \(request.service)")) }
            send(status)
            finish(.ok)
        case .watch: look()
        case .list:
            let all = Self.services.map { ($0, Grpc_Health_V1_HealthCheckResponse.with { $0.status = status }) }
            send(Grpc_Health_V1_HealthListResponse.with { $0.statuses = Dictionary(uniqueKeysWithValues: all) })
            finish(.ok)
        }
    }

    private func takeEnd() {
        if service == nil { finish(Status(.invalidArgument, "no HealthCheckRequest")) }
    }

    private var status: ServingStatus {
        guard let service, Self.services.contains(service) else { return .serviceUnknown }
        return readiness.isReady ? .serving : .notServing
    }

    /// Says the status when it is new, and looks again in a moment: it changes once in the life of a process.
    private func look() {
        guard !hasEnded else { return }
        if status != last { send(status) }
        guard status == .notServing else { return }
        loop.schedule(after: Self.interval) { [weak self] in self?.assumeIsolated { $0.look() } }
    }

    private func send(_ status: ServingStatus) {
        last = status
        send(Grpc_Health_V1_HealthCheckResponse.with { $0.status = status })
    }

    private func send(_ message: some SwiftProtobuf.Message) {
        do {
            responder.send(OutboundMessage(head: [], body: try message.serializedBytes()))
        } catch {
            finish(Status(.internal, "the answer can't be encoded: \(error)"))
        }
    }

    private func finish(_ status: Status) {
        guard !hasEnded else { return }
        hasEnded = true
        responder.finish(status)
    }
}
