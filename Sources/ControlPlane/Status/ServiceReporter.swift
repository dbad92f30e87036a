public import Domain
public import Kubernetes
public import Logging
import XDS

/// Puts together what the resolver, the snapshots and the watch know of each VirtualService, for its status.
///
/// It holds what the API server has of each object in metadata only, and pulls the rest when asked.
public actor ServiceReporter: ServiceReports {
    /// An object as the API server has it.
    struct Known {
        let metadata: ObjectMetadata
        let invalid: [Diagnostic]
    }

    private var known: [ObjectKey: Known] = [:]
    private var pending: Set<ObjectKey> = []
    private var removed: Set<ObjectKey> = []
    /// The keys that a list under way has told; nil between lists.
    private var relist: Set<ObjectKey>?
    private let resolver: EndpointResolver
    private let cache: SnapshotCache
    private let bell: Bell
    private let logger: Logger

    /// Makes a reporter.
    /// - Parameter bell: rung by the resolver and the cache when there is something to report.
    public init(resolver: EndpointResolver, cache: SnapshotCache, bell: Bell, logger: Logger) {
        self.logger = logger
        self.resolver = resolver
        self.cache = cache
        self.bell = bell
    }

    public nonisolated func changes() -> AsyncStream<Void> { bell.rings }

    /// The API server has the object in this form.
    func observe(_ object: WatchedVirtualService) {
        let invalid = object.service == nil ? object.diagnostics.filter { $0.severity == .error } : []
        let old = known[object.key]
        if old?.invalid != invalid {
            for diagnostic in invalid {
                logger.warning("object refused", metadata: ["virtualservice": "\(object.key)", "reason": "\(diagnostic)"])
            }
        }
        relist?.insert(object.key)
        known[object.key] = Known(metadata: object.metadata, invalid: invalid)
        removed.remove(object.key)
        // A status that was written comes back as another version of what has been reported.
        if let old, old.invalid == invalid, old.metadata.isSameButVersion(as: object.metadata) { return }
        pending.insert(object.key)
        bell.ring()
    }

    /// The API server has the object no more.
    func forget(_ key: ObjectKey) {
        guard known.removeValue(forKey: key) != nil else { return }
        pending.remove(key)
        removed.insert(key)
        bell.ring()
    }

    /// A list begins.
    func restarted() { relist = [] }

    /// The list is complete: what it has not told is gone.
    func synced() {
        guard let told = relist else { return }
        relist = nil
        for key in known.keys.filter({ !told.contains($0) }) { forget(key) }
    }

    public func takeRemoved() async -> [ObjectKey] {
        let gone = removed.sorted()
        removed = []
        if !gone.isEmpty { await cache.forgetProgress(of: gone) }
        return gone
    }

    public func take() async -> [ServiceReport] {
        // Before, there is nothing to say of most, and each ring of the first list would look at all of them again. The cache rings
        // when it publishes.
        guard await cache.hasPublished else { return [] }
        var touched = pending
        pending = []
        touched.formUnion(await resolver.takeReportable())
        touched.formUnion(await cache.takeReportable())
        let facts = await resolver.facts(of: touched)
        let states = await cache.progress(of: touched)
        return touched.sorted().compactMap { key in
            guard let known = known[key] else { return nil }
            let report = states[key].flatMap { state in
                known.invalid.isEmpty
                    ? facts[key].flatMap { Self.report(known, $0, state) } : Self.refusal(known, facts[key], state)
            }
            guard let report else {
                // The news is still on its way to the snapshots, which ring when they have it.
                pending.insert(key)
                return nil
            }
            return report
        }
    }

    /// An object that can't be served. Nil while it is being deleted and an earlier spec is still in force.
    static func refusal(_ known: Known, _ facts: ResolvedFacts?, _ state: PublishedState) -> ServiceReport? {
        let metadata = known.metadata
        if metadata.isTerminating, facts != nil || state.inForce != nil { return nil }
        return ServiceReport(
            key: metadata.key, uid: metadata.uid, generation: metadata.generation, resourceVersion: metadata.resourceVersion,
            listenerCount: 0, matched: 0, connected: 0, programmed: 0, invalid: known.invalid,
            isTerminating: metadata.isTerminating, finalizers: metadata.finalizers,
            withdrawn: metadata.isTerminating && state.progress.programmed == state.progress.connected)
    }

    /// Nil while what is published is not what the watch shows: another spec, or another object that had the name.
    static func report(_ known: Known, _ facts: ResolvedFacts, _ state: PublishedState) -> ServiceReport? {
        let metadata = known.metadata
        guard Incarnation(of: facts.service.metadata) == Incarnation(of: metadata),
            facts.service.metadata.isTerminating == metadata.isTerminating,
            state.inForce == (metadata.isTerminating ? nil : Incarnation(of: metadata))
        else { return nil }
        return ServiceReport(
            key: metadata.key, uid: metadata.uid, generation: metadata.generation, resourceVersion: metadata.resourceVersion,
            listenerCount: facts.service.listeners.count, matched: facts.matched, connected: state.progress.connected,
            programmed: state.progress.programmed, rejected: state.progress.rejected, rejection: state.progress.rejection,
            conflicts: state.conflicts.map(Self.text).sorted(),
            withheld: state.conflicts.filter { $0.loser.service == metadata.key }.map(Self.text).sorted(),
            unresolvedSelectors: facts.unresolved.map { "\($0)" }, isTerminating: metadata.isTerminating,
            finalizers: metadata.finalizers,
            withdrawn: metadata.isTerminating && state.progress.programmed == state.progress.connected)
    }

    private static func text(_ conflict: Conflict) -> String {
        "listener \(conflict.loser.listener) of \(conflict.loser.service) is withheld: listener \(conflict.winner.listener) of "
            + "\(conflict.winner.service) is older and has the same \(conflict.claim)"
    }
}

/// Deals the watch of VirtualServices to those who serve them, those who report of them, and those who write their status.
public struct WatchedServiceReceiver: WatchEventReceiver {
    private let services: VirtualServiceWatcher
    private let reporter: ServiceReporter
    private let observer: any WatchEventReceiver<ObservedObject>

    /// Makes a receiver.
    public init(
        services: VirtualServiceWatcher, reporter: ServiceReporter, observer: any WatchEventReceiver<ObservedObject>
    ) {
        self.services = services
        self.reporter = reporter
        self.observer = observer
    }

    /// Takes one event. An object that can't be served is told to be gone to those who serve it, who hear of everything first:
    /// configuration does not wait for status.
    public func receive(_ event: WatchEvent<WatchedVirtualService>) async {
        switch event {
        case .restarted:
            await services.receive(.restarted)
            await reporter.restarted()
            await observer.receive(.restarted)
        case .applied(let object):
            if let service = object.service {
                await services.receive(.applied(service))
            } else {
                await services.receive(.deleted(object.key))
            }
            await reporter.observe(object)
            await observer.receive(.applied(object.observed))
        case .deleted(let key):
            await services.receive(.deleted(key))
            await reporter.forget(key)
            await observer.receive(.deleted(key))
        case .synced:
            await services.receive(.synced)
            await reporter.synced()
            await observer.receive(.synced)
        }
    }
}

extension ObjectMetadata {
    fileprivate func isSameButVersion(as other: ObjectMetadata) -> Bool {
        var other = other
        other.resourceVersion = resourceVersion
        return self == other
    }
}
