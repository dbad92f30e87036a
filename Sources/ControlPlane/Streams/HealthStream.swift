import GRPC
import Transport

/// One RPC of `grpc.health.v1.Health`, the service that Kubernetes' gRPC probes ask: SERVING once the first complete state is published.
///
/// The messages have one field each, a service's name and a status, so they are read and written here.
actor HealthStream: RPCReceiver {
    /// The methods.
    enum Method: String {
        case check = "/grpc.health.v1.Health/Check"
        case watch = "/grpc.health.v1.Health/Watch"
    }

    /// `HealthCheckResponse.ServingStatus`.
    private enum ServingStatus: UInt8 {
        case serving = 1
        case notServing = 2
        case serviceUnknown = 3
    }

    /// How often a watch looks whether the state has changed.
    private static let interval = Duration.milliseconds(500)
    /// Services that may be asked about by name; the empty name is the server as a whole.
    private static let services: Set<String> = ["", "envoy.service.discovery.v3.AggregatedDiscoveryService"]

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
        guard let name = Self.serviceName(message) else {
            return finish(Status(.invalidArgument, "not a HealthCheckRequest"))
        }
        service = name
        switch method {
        case .check:
            guard status != .serviceUnknown else { return finish(Status(.notFound, "no service \(name)")) }
            send(status)
            finish(.ok)
        case .watch: look()
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
        // Field 1, a varint.
        responder.send(OutboundMessage(head: [], body: [1 << 3, status.rawValue]))
    }

    private func finish(_ status: Status) {
        guard !hasEnded else { return }
        hasEnded = true
        responder.finish(status)
    }

    /// Field 1 of the request, a string of less than 128 bytes; empty when absent, nil for anything else.
    private static func serviceName(_ message: [UInt8]) -> String? {
        if message.isEmpty { return "" }
        guard message.count >= 2, message[0] == 1 << 3 | 2, message[1] < 128, message.count == 2 + Int(message[1]) else {
            return nil
        }
        return String(decoding: message[2...], as: UTF8.self)
    }
}
