public import GRPC
public import Logging
public import ServiceLifecycle
import Translation
public import Transport
import XDS

/// Answers every RPC: gives each stream its actor, and each event loop its broadcaster.
public final class DiscoveryService: RPCRouter, Service {
    private let broadcasters: [ObjectIdentifier: [ConnectionVariant: Broadcaster]]
    private let clientStatus: ClientStatusDesk
    private let waitingLog: WaitingLog
    private let answerTimeout: Duration
    private let limits: StreamLimits
    private let readiness: Readiness
    private let metrics: StreamMetrics
    private let access: AccessControl?
    private let logger: Logger

    /// Makes a service for the connections of `loops`.
    /// - Parameters:
    ///   - access: decides which clients are served for which pods; nil serves everybody.
    ///   - answerTimeout: after this time without any answer of a client to what it was sent, its stream is closed.
    ///   - limits: what clients may cost.
    ///   - waitingPatience: after this time the log says that an Envoy's node id is unknown.
    ///   - statusAnswerLimit: bytes of one answer of the client status service.
    public init(
        cache: SnapshotCache, resolver: EndpointResolver, loops: EventLoopGroup, readiness: Readiness, metrics: StreamMetrics,
        access: AccessControl? = nil, answerTimeout: Duration = .seconds(300),
        limits: StreamLimits = StreamLimits(), waitingPatience: Duration = .seconds(10),
        statusAnswerLimit: Int = 32 << 20, logger: Logger
    ) {
        self.access = access
        self.answerTimeout = answerTimeout
        self.limits = limits
        self.readiness = readiness
        let pairs = loops.loops.enumerated().map { number, loop in
            let variants = ConnectionVariant.allCases.map {
                (
                    $0,
                    Broadcaster(
                        LoopID(number), $0, loop: loop, cache: cache, resolver: resolver, checksNodes: access != nil,
                        metrics: metrics)
                )
            }
            return (ObjectIdentifier(loop), Dictionary(uniqueKeysWithValues: variants))
        }
        broadcasters = Dictionary(uniqueKeysWithValues: pairs)
        clientStatus = ClientStatusDesk(
            broadcasters: pairs.flatMap { Array($0.1.values) }, cache: cache, answerLimit: statusAnswerLimit)
        waitingLog = WaitingLog(readiness: readiness, patience: waitingPatience)
        self.metrics = metrics
        self.logger = logger
    }

    var allBroadcasters: [Broadcaster] { broadcasters.values.flatMap(\.values) }

    /// Carries news to all streams until shut down, which must come after the server's end.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.clientStatus.run() }
            for broadcaster in allBroadcasters { group.addTask { await broadcaster.run() } }
        }
    }

    /// The one place where RPCs are told apart.
    public func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        guard let method = ServedMethod(path: request.path) else {
            return .reject(Status(.unimplemented, "no method \(request.path)"))
        }
        guard let loop = responder.executor as? EventLoop, let variants = broadcasters[ObjectIdentifier(loop)] else {
            return .reject(Status(.internal, "the connection is on a loop that serves no streams"))
        }
        switch method {
        case .health(let method): return .accept(HealthStream(method, responder: responder, loop: loop, readiness: readiness))
        case .clientStatus(let method):
            return .accept(ClientStatusStream(method, responder: responder, loop: loop, desk: clientStatus))
        case .reflection: return .accept(ReflectionStream(responder: responder))
        case .discovery(let method):
            guard let broadcaster = variants[method.variant] else {
                return .reject(Status(.internal, "no streams of this kind are served"))
            }
            return .accept(discoveryStream(method, request, responder, broadcaster))
        }
    }

    private func discoveryStream(
        _ method: DiscoveryMethod, _ request: RPCRequest, _ responder: any RPCResponder, _ broadcaster: Broadcaster
    ) -> DiscoveryStream {
        let stream = DiscoveryStream(
            method, peer: request.peer, responder: responder, broadcaster: broadcaster, metrics: metrics,
            waitingLog: waitingLog, answerTimeout: answerTimeout, limits: limits,
            access: access.map { StreamAccess($0, request) },
            logger: logger)
        stream.begin()
        return stream
    }
}
