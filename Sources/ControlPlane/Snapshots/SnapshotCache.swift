import Domain
public import Logging
import Resolution
public import ServiceLifecycle
public import Translation
import XDS

/// Owns the snapshots of all node groups: compiles what the resolver says, publishes it, and rings the loops that it concerns.
public actor SnapshotCache: Service {
    /// What serves the Envoys that are connected in one way: the clusters differ by it.
    fileprivate struct Line {
        var compiler: ServiceCompiler
        var fanOut = FanOut()
    }

    /// The line of ADS is always there; another one is made for the first stream that needs it.
    private var lines: [ConnectionVariant: Line]
    private var nodes: [ObjectKey: NodeChange] = [:]
    private var isSynced = false
    private var bells: [ConnectionVariant: [LoopID: Bell]] = [:]
    private let resolver: EndpointResolver
    private let resolved: Bell
    private let readiness: Readiness
    private let logger: Logger

    /// Makes a cache with no snapshot.
    /// - Parameters:
    ///   - resolved: rung by the resolver.
    ///   - readiness: told when the first complete state is published.
    public init(resolver: EndpointResolver, resolved: Bell, translator: Translator, readiness: Readiness, logger: Logger) {
        lines = [.aggregated: Line(compiler: ServiceCompiler(translator: translator))]
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

    /// A loop has streams of a kind, and wants to hear of changes by `bell`.
    func register(_ loop: LoopID, _ variant: ConnectionVariant, bell: Bell) { bells[variant, default: [:]][loop] = bell }

    /// Takes what a loop's streams have to say, and answers with all that they have to hear.
    func serve(_ loop: LoopID, _ variant: ConnectionVariant, _ request: LoopRequest) -> LoopReply {
        if lines[variant] == nil {
            guard !request.attached.isEmpty else { return LoopReply() }
            openLine(variant)
        }
        return lines[variant]?.fanOut.serve(loop, request) ?? LoopReply()
    }

    private func openLine(_ variant: ConnectionVariant) {
        guard let (compiler, fragments) = lines[.aggregated]?.compiler.forked(for: variant) else { return }
        var line = Line(compiler: compiler)
        for fragment in fragments { line.fanOut.setFragment(fragment) }
        for node in nodes.values { line.fanOut.setNode(node) }
        _ = line.fanOut.commit(synced: isSynced)
        lines[variant] = line
        logger.info("Envoys without ADS have connected: their clusters are compiled, too", metadata: ["form": "\(variant)"])
    }

    /// Figures for metrics.
    public var counts: SnapshotCounts {
        let store = lines[.aggregated]?.fanOut.store.counts ?? (fragments: 0, nodes: 0, groups: 0)
        let streams = lines.values.map(\.fanOut.counts)
        return SnapshotCounts(
            virtualServices: store.fragments, nodes: store.nodes, groups: store.groups,
            streams: streams.reduce(0) { $0 + $1.streams }, waitingStreams: streams.reduce(0) { $0 + $1.waiting })
    }

    private func publish(_ changes: ResolutionChanges, synced: Bool) {
        isSynced = synced
        for node in changes.nodes {
            let change = NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)
            nodes[node.key] = node.selectors == nil ? nil : change
        }
        for variant in lines.keys {
            let rung = lines[variant]?.publish(changes, synced: synced) ?? []
            for loop in rung { bells[variant]?[loop]?.ring() }
        }
        for service in changes.services { report(service.service.metadata.key) }
        if synced { readiness.markReady() }
    }

    private func report(_ service: ObjectKey) {
        for conflict in lines[.aggregated]?.fanOut.store.conflicts(of: service) ?? [] {
            logger.warning(
                "listener withheld: an older object has the same \(conflict.claim)",
                metadata: [
                    "virtualservice": "\(conflict.loser.service)", "listener": "\(conflict.loser.listener)",
                    "winner": "\(conflict.winner.service)", "winner-listener": "\(conflict.winner.listener)",
                ])
        }
    }
}

extension SnapshotCache.Line {
    /// Compiles and publishes changes; returns the loops that have something to fetch.
    fileprivate mutating func publish(_ changes: ResolutionChanges, synced: Bool) -> Set<LoopID> {
        for service in changes.services { fanOut.setFragment(compiler.compile(service)) }
        for key in changes.removedServices {
            compiler.remove(key)
            fanOut.removeFragment(key)
        }
        for change in changes.endpoints {
            if let fragment = compiler.compile(change.service, listener: change.listener, endpoints: change.endpoints) {
                fanOut.setFragment(fragment)
            }
        }
        for node in changes.nodes { fanOut.setNode(NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)) }
        return fanOut.commit(synced: synced)
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
