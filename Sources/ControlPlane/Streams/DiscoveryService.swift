public import GRPC
public import Logging
public import ServiceLifecycle
public import Transport
import XDS

/// Answers xDS RPCs: gives each stream its actor, and each event loop its broadcaster.
public final class DiscoveryService: RPCRouter, Service {
    private let broadcasters: [ObjectIdentifier: Broadcaster]
    private let metrics: StreamMetrics
    private let logger: Logger

    /// Makes a service for the connections of `loops`.
    public init(
        cache: SnapshotCache, resolver: EndpointResolver, loops: EventLoopGroup, metrics: StreamMetrics, logger: Logger
    ) {
        let pairs = loops.loops.enumerated().map { number, loop in
            (ObjectIdentifier(loop), Broadcaster(LoopID(number), loop: loop, cache: cache, resolver: resolver))
        }
        broadcasters = Dictionary(uniqueKeysWithValues: pairs)
        self.metrics = metrics
        self.logger = logger
    }

    /// Carries news to all streams until shut down, which must come after the server's end.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for broadcaster in broadcasters.values { group.addTask { await broadcaster.run() } }
        }
    }

    public func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        guard let broadcaster = broadcasters[ObjectIdentifier(responder.executor)] else {
            return .reject(Status(.internal, "the connection is on a loop that serves no streams"))
        }
        switch request.path {
        case "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources":
            var logger = logger
            logger[metadataKey: "peer"] = "\(request.peer)"
            return .accept(DiscoveryStream(responder: responder, broadcaster: broadcaster, metrics: metrics, logger: logger))
        default:
            return .reject(Status(.unimplemented, "no method \(request.path); Envoy's ads_config must use DELTA_GRPC"))
        }
    }
}
