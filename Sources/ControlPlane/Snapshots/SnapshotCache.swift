import Domain
public import Logging
import Resolution
public import ServiceLifecycle
public import Translation
public import XDS

/// Owns the snapshots of all node groups: compiles what the resolver says, publishes it, and rings the loops that it concerns.
public actor SnapshotCache: Service {
    /// What serves the Envoys that are connected in one way: the clusters differ by it.
    fileprivate struct Line {
        var compiler: ServiceCompiler
        var fanOut: FanOut
    }

    /// The line of ADS is always there; another one is made for the first stream that needs it.
    private var lines: [ConnectionVariant: Line]
    /// The keys of `lines`. Whoever changes lines goes through these: `lines.keys` shares the storage of `lines` while it is gone
    /// through, and each change would copy every snapshot.
    private var variants: [ConnectionVariant] { Array(lines.keys) }
    private var nodes: [ObjectKey: NodeChange] = [:]
    private var isSynced = false
    private var bells: [ConnectionVariant: [LoopID: Bell]] = [:]
    /// Whether account is kept of how far the Envoys are.
    nonisolated let tracksProgress: Bool
    private let reports: Bell?
    /// Of each object in force, which one; kept only for reports.
    private var generations: [ObjectKey: Incarnation] = [:]
    /// Objects in force that are gone, and of which nobody needs to know more once that has been published.
    private var forgotten: Set<ObjectKey> = []
    /// Conflicts that have been logged, by an object on either side.
    private var reported: [ObjectKey: Set<Conflict>] = [:]
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
        lines = [
            .aggregated: Line(compiler: ServiceCompiler(translator: translator), fanOut: FanOut(tracksProgress: reports != nil))
        ]
        self.reports = reports
        tracksProgress = reports != nil
        self.resolver = resolver
        self.resolved = resolved
        self.readiness = readiness
        self.logger = logger
    }

    /// Whether a complete state has been published, the first or a later one.
    var hasPublished: Bool { isSynced }

    /// Follows the resolver until cancelled or shut down.
    public func run() async {
        await resolved.answer {
            let news = await resolver.takeChanges()
            publish(news.changes, synced: news.hasSynced, since: news.since)
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
        for (stream, rejection) in request.rejected { report(rejection, of: stream, variant) }
        let reply = lines[variant]?.fanOut.serve(loop, request) ?? LoopReply()
        if !request.progressed.isEmpty || !request.detached.isEmpty || !reply.assignments.isEmpty { reports?.ring() }
        return reply
    }

    /// What there is in a group, and what became of it since the positions of an account.
    /// - Parameter known: where the group stood when its resources were last asked for: they come only if it has moved on.
    func inventory(of account: TypeAccount, in group: GroupID, _ variant: ConnectionVariant, known: Position?) -> (
        position: Position?, resources: [EncodedResource]?, changes: [Position: Inventory.Changes]
    ) {
        guard let store = lines[variant]?.fanOut.store else { return (nil, [], [:]) }
        let position = store.position(of: group)
        let isKnown = known != nil && known == position
        return (
            position, isKnown ? nil : store.unsortedResources(account.type, in: group), store.changes(since: account, in: group)
        )
    }

    /// The objects whose progress may have changed since the last call.
    func takeReportable() -> Set<ObjectKey> {
        variants.reduce(into: []) { $0.formUnion(lines[$1]?.fanOut.takeProgressed() ?? []) }
    }

    /// How far the Envoys are with each of `services`, and what keeps its listeners, or those of others, from being served.
    ///
    /// When an Envoy comes or goes, that may be every object there is: configuration gets its turn in between.
    func progress(of services: some Collection<ObjectKey> & Sendable) async -> [ObjectKey: PublishedState] {
        var states: [ObjectKey: PublishedState] = [:]
        for (count, service) in services.enumerated() {
            if count % 256 == 255 { await Task.yield() }
            states[service] = PublishedState(
                inForce: generations[service],
                progress: lines.values.reduce(ServiceProgress()) { $0 + $1.fanOut.progress(of: service) },
                conflicts: lines[.aggregated]?.fanOut.store.conflicts(of: service) ?? [])
        }
        return states
    }

    /// Objects that are gone, and of which nobody needs to know more.
    ///
    /// The news that they are gone may be on its way to here yet, and is accounted for when it comes: what is still in force is forgotten
    /// after that.
    func forgetProgress(of services: [ObjectKey]) {
        forgotten.formUnion(services.filter { generations[$0] != nil })
        dropProgress(of: services.filter { generations[$0] == nil })
    }

    private func dropProgress(of services: some Collection<ObjectKey>) {
        for variant in variants {
            for service in services { lines[variant]?.fanOut.forgetProgress(of: service) }
        }
    }

    private func openLine(_ variant: ConnectionVariant) {
        guard let (compiler, fragments) = lines[.aggregated]?.compiler.forked(for: variant) else { return }
        var line = Line(compiler: compiler, fanOut: FanOut(tracksProgress: reports != nil))
        for fragment in fragments { line.fanOut.setFragment(fragment) }
        for node in nodes.values { line.fanOut.setNode(node) }
        _ = line.fanOut.commit(synced: isSynced)
        lines[variant] = line
        logger.info("Envoys without ADS have connected: their clusters are compiled, too", metadata: ["form": "\(variant)"])
    }

    /// The snapshots of Envoys with ADS.
    var aggregated: FanOut? { lines[.aggregated]?.fanOut }
    /// The pods whose Envoys are concerned.
    var knownNodes: some Sequence<NodeChange> { nodes.values }

    /// What is in force, with its hosts: one object or all.
    func resolvedServices(of object: ObjectKey?) -> [ResolvedService] { lines[.aggregated]?.compiler.resolved(object) ?? [] }

    /// Figures for metrics.
    public var counts: SnapshotCounts {
        let store = lines[.aggregated]?.fanOut.store.counts ?? (fragments: 0, nodes: 0, groups: 0)
        let streams = lines.values.map(\.fanOut.counts)
        return SnapshotCounts(
            virtualServices: store.fragments, nodes: store.nodes, groups: store.groups,
            streams: streams.reduce(0) { $0 + $1.streams }, waitingStreams: streams.reduce(0) { $0 + $1.waiting },
            resources: lines[.aggregated]?.fanOut.store.sizes ?? [],
            effort: lines.values.map(\.fanOut.store.effort).reduce(SnapshotEffort(), +))
    }

    private func publish(_ changes: ResolutionChanges, synced: Bool, since: ContinuousClock.Instant?) {
        isSynced = synced
        for node in changes.nodes {
            let change = NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)
            nodes[node.key] = node.selectors == nil ? nil : change
        }
        for variant in variants {
            let rung = lines[variant]?.publish(changes, synced: synced, since: since) ?? []
            for loop in rung { bells[variant]?[loop]?.ring() }
        }
        if logger.logLevel <= .debug { trace(changes) }
        for service in changes.services { report(service.service.metadata.key) }
        for key in changes.removedServices {
            reported[key] = nil
            generations[key] = nil
        }
        if !forgotten.isEmpty {
            dropProgress(of: forgotten.intersection(changes.removedServices))
            forgotten.subtract(changes.removedServices)
            forgotten.subtract(changes.services.map(\.service.metadata.key))
        }
        if tracksProgress {
            for service in changes.services {
                generations[service.service.metadata.key] = Incarnation(of: service.service.metadata)
            }
        }
        reports?.ring()
        if synced, !readiness.isReady {
            readiness.markReady()
            logger.info("ready: all objects are read, Envoys are served")
        }
    }

    /// Logs which objects changed, and in which revisions Envoys with ADS get that: their streams log the revisions that they were brought to.
    private func trace(_ changes: ResolutionChanges) {
        guard let store = aggregated?.store else { return }
        func log(_ message: Logger.Message, _ key: ObjectKey, _ metadata: Logger.Metadata = [:]) {
            let positions = store.groups(of: key).compactMap(store.position).map(\.description).sorted()
            logger.debug(
                message,
                metadata: metadata.merging(["virtualservice": "\(key)", "snapshots": "\(positions.joined(separator: ","))"]) {
                    $1
                })
        }
        for service in changes.services {
            let metadata = service.service.metadata
            log(
                "object published", metadata.key,
                ["generation": "\(metadata.generation)", "resource-version": "\(metadata.resourceVersion)"])
        }
        for key in changes.removedServices { log("object withdrawn", key) }
        for key in Set(changes.endpoints.map(\.service)) { log("hosts of the object published", key) }
    }

    /// Logs what an Envoy rejected, with the object that it comes of.
    private func report(_ rejection: Rejection, of stream: StreamID, _ variant: ConnectionVariant) {
        var metadata: Logger.Metadata = ["type": "\(rejection.type)", "message": "\(rejection.message.limited(toBytes: 2000))"]
        guard !rejection.culprits.isEmpty else {
            metadata["node"] = lines[variant]?.fanOut.origin(of: rejection.type, "", told: stream).nodeID.map { "\($0)" }
            logger.error("the Envoy rejected configuration and did not name what; that is searched for", metadata: metadata)
            return
        }
        for name in rejection.culprits {
            let origin = lines[variant]?.fanOut.origin(of: rejection.type, name, told: stream)
            metadata["node"] = origin?.nodeID.map { "\($0)" }
            metadata["resource"] = "\(name)"
            metadata["virtualservice"] = origin?.owner.map { "\($0)" }
            logger.error(
                "the Envoy rejected configuration; what it rejected is not sent again until it changes", metadata: metadata)
        }
    }

    /// Logs each conflict once, when it is new.
    private func report(_ service: ObjectKey) {
        let conflicts = lines[.aggregated]?.fanOut.store.conflicts(of: service) ?? []
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

extension SnapshotCache.Line {
    /// Compiles and publishes changes; returns the loops that have something to fetch.
    fileprivate mutating func publish(_ changes: ResolutionChanges, synced: Bool, since: ContinuousClock.Instant?) -> Set<LoopID>
    {
        for service in changes.services { fanOut.setFragment(compiler.compile(service)) }
        for key in changes.removedServices {
            compiler.remove(key)
            fanOut.removeFragment(key)
        }
        let endpoints = Dictionary(grouping: changes.endpoints, by: \.service)
        for (service, changes) in endpoints {
            let hosts = Dictionary(changes.map { ($0.listener, $0.endpoints) }, uniquingKeysWith: { _, last in last })
            if let fragment = compiler.compile(service, endpoints: hosts) { fanOut.setFragment(fragment) }
        }
        for node in changes.nodes { fanOut.setNode(NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)) }
        return fanOut.commit(synced: synced, since: since)
    }
}

/// Which object of a name, and which of its specs.
struct Incarnation: Hashable, Sendable {
    let uid: String
    let generation: Int64

    init(of metadata: ObjectMetadata) {
        uid = metadata.uid
        generation = metadata.generation
    }
}

/// An object as the snapshots have it.
struct PublishedState: Sendable {
    /// What is in force; nil when nothing of the object is.
    let inForce: Incarnation?
    /// How far the Envoys are with it.
    let progress: ServiceProgress
    /// What keeps its listeners, or those of others, from being served.
    let conflicts: Set<Conflict>
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
    /// How much is in the snapshots of Envoys with ADS, by type.
    public let resources: [SnapshotSize]
    /// The work that all snapshots have been.
    public let effort: SnapshotEffort
}
