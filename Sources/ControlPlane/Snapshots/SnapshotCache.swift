import Domain
public import Logging
import Resolution
public import ServiceLifecycle
public import Translation
import XDS

/// Owns the snapshots of all node groups: compiles what the resolver says, publishes it, and rings the loops that it concerns.
public actor SnapshotCache: Service {
    private var compiler: ServiceCompiler
    private var fanOut: FanOut
    private let reports: Bell?
    /// Conflicts that have been logged, by an object on either side.
    private var reported: [ObjectKey: Set<Conflict>] = [:]
    private var loops: [LoopID: Bell] = [:]
    private let resolver: EndpointResolver
    private let resolved: Bell
    private let readiness: Readiness
    private let logger: Logger

    /// Makes a cache with no snapshot.
    /// - Parameters:
    ///   - resolved: rung by the resolver.
    ///   - readiness: told when the first complete state is published.
    ///   - reports: rung when there is something to report of an object; nil when nobody reports.
    public init(
        resolver: EndpointResolver, resolved: Bell, translator: Translator, readiness: Readiness, reports: Bell? = nil,
        logger: Logger
    ) {
        fanOut = FanOut(tracksProgress: reports != nil)
        self.reports = reports
        compiler = ServiceCompiler(translator: translator)
        self.resolver = resolver
        self.resolved = resolved
        self.readiness = readiness
        self.logger = logger
    }

    /// Follows the resolver until cancelled or shut down.
    public func run() async {
        for await _ in resolved.rings.cancelOnGracefulShutdown() {
            let news = await resolver.takeChanges()
            publish(news.changes, synced: news.hasSynced)
        }
    }

    /// A loop has streams, and wants to hear of changes by `bell`.
    func register(_ loop: LoopID, bell: Bell) { loops[loop] = bell }

    /// Takes what a loop's streams have to say, and answers with all that they have to hear.
    func serve(_ loop: LoopID, _ request: LoopRequest) -> LoopReply {
        let reply = fanOut.serve(loop, request)
        if !request.progressed.isEmpty || !request.detached.isEmpty || !reply.assignments.isEmpty { reports?.ring() }
        return reply
    }

    /// The objects whose progress may have changed since the last call.
    func takeReportable() -> Set<ObjectKey> { fanOut.takeProgressed() }

    /// How far the Envoys are with each of `services`, and what keeps its listeners, or those of others, from being served.
    func progress(
        of services: some Collection<ObjectKey> & Sendable
    ) -> [ObjectKey: (progress: ServiceProgress, conflicts: Set<Conflict>)] {
        services.reduce(into: [:]) { $0[$1] = (fanOut.progress(of: $1), fanOut.store.conflicts(of: $1)) }
    }

    /// Objects that are gone, and of which nobody needs to know more.
    func forgetProgress(of services: [ObjectKey]) {
        for service in services { fanOut.forgetProgress(of: service) }
    }

    /// Figures for metrics.
    public var counts: SnapshotCounts {
        let store = fanOut.store.counts
        let streams = fanOut.counts
        return SnapshotCounts(
            virtualServices: store.fragments, nodes: store.nodes, groups: store.groups, streams: streams.streams,
            waitingStreams: streams.waiting)
    }

    private func publish(_ changes: ResolutionChanges, synced: Bool) {
        for service in changes.services { fanOut.setFragment(compiler.compile(service)) }
        for key in changes.removedServices {
            compiler.remove(key)
            reported[key] = nil
            fanOut.removeFragment(key)
        }
        let endpoints = Dictionary(grouping: changes.endpoints, by: \.service)
        for (service, changes) in endpoints {
            let hosts = Dictionary(changes.map { ($0.listener, $0.endpoints) }, uniquingKeysWith: { _, last in last })
            if let fragment = compiler.compile(service, endpoints: hosts) { fanOut.setFragment(fragment) }
        }
        for node in changes.nodes { fanOut.setNode(NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)) }
        for loop in fanOut.commit(synced: synced) { loops[loop]?.ring() }
        reports?.ring()
        for service in changes.services { report(service.service.metadata.key) }
        if synced { readiness.markReady() }
    }

    /// Logs each conflict once, when it is new.
    private func report(_ service: ObjectKey) {
        let conflicts = fanOut.store.conflicts(of: service)
        for conflict in conflicts.subtracting(reported[service] ?? [])
        where reported[conflict.loser.service]?.contains(conflict) != true {
            logger.warning(
                "listener withheld: an older object has the same \(conflict.claim)",
                metadata: [
                    "virtualservice": "\(conflict.loser.service)", "listener": "\(conflict.loser.listener)",
                    "winner": "\(conflict.winner.service)", "winner-listener": "\(conflict.winner.listener)",
                ])
        }
        reported[service] = conflicts.isEmpty ? nil : conflicts
    }
}

/// How much the snapshot cache holds.
public struct SnapshotCounts: Sendable {
    /// VirtualServices in force.
    public let virtualServices: Int
    /// Pods whose Envoys are concerned.
    public let nodes: Int
    /// Node groups.
    public let groups: Int
    /// Streams that follow a group or wait for one.
    public let streams: Int
    /// Streams whose node id no known pod has.
    public let waitingStreams: Int
}
