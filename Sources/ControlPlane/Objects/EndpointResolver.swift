import Domain
import Kubernetes
import Resolution
public import ServiceLifecycle

/// What the resolver knows of an object, for its status.
struct ResolvedFacts: Sendable {
    /// The object; it may be being deleted.
    let service: VirtualService
    /// Pods that its selector matches.
    let matched: Int
    /// Selectors of its endpoints that match no pod.
    let unresolved: [LabelSelector]
}

/// Owns the matching of selectors and pods: takes the watchers' changes, and hands the snapshot cache what they mean.
public actor EndpointResolver: Service {
    private var index: EndpointIndex
    private var hasSynced = false
    /// When the oldest event came that the snapshot cache has not taken.
    private var since: ContinuousClock.Instant?
    /// All objects, those that are being deleted included; kept only for reports.
    private var objects: [ObjectKey: VirtualService] = [:]
    private var touched: Set<ObjectKey> = []
    private let reports: Bell?
    private let virtualServices: VirtualServiceWatcher
    private let pods: PodWatcher
    private let changed: Bell
    private let resolved: Bell

    /// Makes a resolver.
    /// - Parameters:
    ///   - changed: rung by the watchers.
    ///   - resolved: rung when there is something for the snapshot cache.
    ///   - reports: rung when there is something to report of an object; nil when nobody reports.
    public init(
        virtualServices: VirtualServiceWatcher, pods: PodWatcher, crossesNamespaces: Bool, changed: Bell, resolved: Bell,
        reports: Bell? = nil
    ) {
        index = EndpointIndex(crossesNamespaces: crossesNamespaces, tracksMatches: reports != nil)
        self.reports = reports
        self.virtualServices = virtualServices
        self.pods = pods
        self.changed = changed
        self.resolved = resolved
    }

    /// Follows the watchers until cancelled or shut down.
    public func run() async {
        await changed.answer {
            let services = await virtualServices.takeChanges()
            let pods = await pods.takeChanges()
            for change in services.changes { apply(change) }
            for change in pods.changes {
                if let pod = change.new { index.apply(pod) } else { index.remove(pod: change.key) }
            }
            if services.hasSynced && pods.hasSynced { hasSynced = true }
            since = [since, services.since, pods.since].compactMap(\.self).min()
            resolved.ring()
            reports?.ring()
        }
    }

    /// An object that is being deleted is served no more, though it is still there: somebody waits for that to be so.
    private func apply(_ change: ObjectChange<VirtualService>) {
        if let service = change.new, !service.metadata.isTerminating {
            index.apply(service)
        } else {
            index.remove(service: change.key)
        }
        guard reports != nil else { return }
        objects[change.key] = change.new
        touched.insert(change.key)
    }

    /// The objects of which something may have changed that is to be reported, since the last call.
    func takeReportable() -> Set<ObjectKey> {
        defer { touched = [] }
        return touched.union(index.takeRematched())
    }

    /// What is known of `services`; those that are gone are left out.
    func facts(of services: some Collection<ObjectKey> & Sendable) -> [ObjectKey: ResolvedFacts] {
        services.reduce(into: [:]) { facts, key in
            guard let service = objects[key] else { return }
            facts[key] = ResolvedFacts(
                service: service, matched: index.matchedPodCount(of: key) ?? 0, unresolved: index.unresolvedSelectors(of: key))
        }
    }

    /// Envoys that have connected, by the id they give: their pods are told of even if nothing selects them.
    func watch(_ nodeIDs: [String]) {
        for id in nodeIDs { index.watch(nodeID: id) }
        resolved.ring()
    }

    /// Ends one `watch` of each.
    func unwatch(_ nodeIDs: [String]) {
        for id in nodeIDs { index.unwatch(nodeID: id) }
        resolved.ring()
    }

    /// The pods of Envoys, by the id they give; those that are not known are left out.
    func pods(ofNodeIDs nodeIDs: [String]) -> [String: Pod] {
        nodeIDs.reduce(into: [:]) { $0[$1] = index.pod(ofNodeID: $1) }
    }

    /// All that is new since the last call; whether both watches have said everything that exists; when the first of it was heard.
    func takeChanges() -> (changes: ResolutionChanges, hasSynced: Bool, since: ContinuousClock.Instant?) {
        guard hasSynced else { return (ResolutionChanges(), false, nil) }
        defer { since = nil }
        return (index.takeChanges(), true, since)
    }
}
