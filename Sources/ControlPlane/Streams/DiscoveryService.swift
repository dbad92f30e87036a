public import GRPC
public import Logging
public import ServiceLifecycle
import Translation
public import Transport
import XDS

/// Answers xDS RPCs, and health checks: gives each stream its actor, and each event loop its broadcaster.
public final class DiscoveryService: RPCRouter, Service {
    private let broadcasters: [ObjectIdentifier: [ConnectionVariant: Broadcaster]]
    private let answerTimeout: Duration
    private let readiness: Readiness
    private let metrics: StreamMetrics
    private let access: AccessControl?
    private let logger: Logger

    /// Makes a service for the connections of `loops`.
    /// - Parameters:
    ///   - access: decides which clients are served for which pods; nil serves everybody.
    ///   - answerTimeout: after this time without any answer of a client to what it was sent, its stream is closed.
    public init(
        cache: SnapshotCache, resolver: EndpointResolver, loops: EventLoopGroup, readiness: Readiness, metrics: StreamMetrics,
        access: AccessControl? = nil, answerTimeout: Duration = .seconds(300), logger: Logger
    ) {
        self.access = access
        self.answerTimeout = answerTimeout
        self.readiness = readiness
        let pairs = loops.loops.enumerated().map { number, loop in
            let variants = ConnectionVariant.allCases.map {
                ($0, Broadcaster(LoopID(number), $0, loop: loop, cache: cache, resolver: resolver, checksNodes: access != nil))
            }
            return (ObjectIdentifier(loop), Dictionary(uniqueKeysWithValues: variants))
        }
        broadcasters = Dictionary(uniqueKeysWithValues: pairs)
        self.metrics = metrics
        self.logger = logger
    }

    /// Carries news to all streams until shut down, which must come after the server's end.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for broadcaster in broadcasters.values.flatMap(\.values) { group.addTask { await broadcaster.run() } }
        }
    }

    public func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        if let method = HealthStream.Method(rawValue: request.path), let loop = responder.executor as? EventLoop {
            return .accept(HealthStream(method, responder: responder, loop: loop, readiness: readiness))
        }
        guard let method = DiscoveryMethod(path: request.path) else {
            return .reject(Status(.unimplemented, "no method \(request.path)"))
        }
        guard let broadcaster = broadcasters[ObjectIdentifier(responder.executor)]?[method.variant] else {
            return .reject(Status(.internal, "the connection is on a loop that serves no streams"))
        }
        var logger = logger
        logger[metadataKey: "peer"] = "\(request.peer)"
        return .accept(
            DiscoveryStream(
                method, responder: responder, broadcaster: broadcaster, metrics: metrics, answerTimeout: answerTimeout,
                access: access.map { StreamAccess($0, request) }, logger: logger))
    }
}
