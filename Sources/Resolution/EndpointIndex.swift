public import Domain

/// A VirtualService together with the hosts of each of its listeners' clusters.
public struct ResolvedService: Hashable, Sendable {
    /// The object.
    public let service: VirtualService
    /// The pods whose Envoys get the listeners.
    public let selector: ScopedSelector
    /// The hosts of each listener's cluster, by the listener's place in the object.
    public var endpoints: [[ResolvedEndpoint]]
}

/// What became of a pod, as far as its Envoy is concerned.
public struct ResolvedNode: Hashable, Sendable {
    /// The pod.
    public let key: ObjectKey
    /// The pod's uid; empty where it has none.
    public let uid: String
    /// The selectors of VirtualServices that the pod matches; nil when it is gone.
    public let selectors: Set<ScopedSelector>?
}

/// All that is new since it was last asked for.
public struct ResolutionChanges: Sendable {
    /// Objects that are new or changed.
    public var services: [ResolvedService] = []
    /// Objects that are gone.
    public var removedServices: [ObjectKey] = []
    /// Hosts of listeners whose objects have not changed.
    public var endpoints: [(service: ObjectKey, listener: Int, endpoints: [ResolvedEndpoint])] = []
    /// Pods whose Envoys are concerned.
    public var nodes: [ResolvedNode] = []

    /// Makes an account of nothing.
    public init() {}

    /// Nothing is new.
    public var isEmpty: Bool { services.isEmpty && removedServices.isEmpty && endpoints.isEmpty && nodes.isEmpty }
}

/// Resolves the selectors of all VirtualServices against all pods.
///
/// Each event marks what it touches, found through indexes; `takeChanges` resolves just that. A pod that no selector matches
/// marks nothing.
public struct EndpointIndex {
    private struct ListenerPlace: Hashable {
        let service: ObjectKey
        let listener: Int
    }

    /// Who uses a selector: objects that configure the pods it matches, and clusters that forward to them.
    private struct Users {
        var services: Set<ObjectKey> = []
        var clusters: Set<ListenerPlace> = []

        var isEmpty: Bool { services.isEmpty && clusters.isEmpty }
    }

    private var matcher: SelectorMatcher
    private let crossesNamespaces: Bool
    private let policy: EndpointPolicy
    private var services: [ObjectKey: VirtualService] = [:]
    private var pods: [ObjectKey: Pod] = [:]
    private var podsByUID: [String: Pod] = [:]
    private var users: [ScopedSelector: Users] = [:]
    /// Ids of Envoys that are connected, and how many streams each has: their pods are told of even if nothing selects them.
    private var watched: [String: Int] = [:]

    private let tracksMatches: Bool
    /// Selectors that pods have come to match, or ceased to, since `takeRematched`.
    private var rematched: Set<ScopedSelector> = []
    /// Of these, the ones that have come to match any pod at all, or none.
    private var crossed: Set<ScopedSelector> = []

    private var dirtyServices: Set<ObjectKey> = []
    private var dirtySelectors: Set<ScopedSelector> = []
    private var dirtyNodes: Set<ObjectKey> = []
    private var goneNodes: [ObjectKey: String] = [:]
    private var toldNodes: Set<ObjectKey> = []

    /// Makes an empty index.
    /// - Parameters:
    ///   - crossesNamespaces: whether an object selects pods of every namespace, or of its own only.
    ///   - tracksMatches: whether to keep account of objects whose matching pods change; then somebody must take it.
    public init(crossesNamespaces: Bool = false, tracksMatches: Bool = false, policy: EndpointPolicy = EndpointPolicy()) {
        self.crossesNamespaces = crossesNamespaces
        self.tracksMatches = tracksMatches
        self.policy = policy
        matcher = SelectorMatcher(crossesNamespaces: crossesNamespaces)
    }

    /// How many objects and pods are known.
    public var counts: (services: Int, pods: Int) { (services.count, pods.count) }

    /// The pod whose Envoy calls itself `nodeID`, a pod's uid or `namespace/name`.
    public func pod(ofNodeID nodeID: String) -> Pod? { key(ofNodeID: nodeID).flatMap { pods[$0] } }

    /// How many pods an object's selector matches; nil for an object that is not known.
    public func matchedPodCount(of service: ObjectKey) -> Int? {
        services[service].map { matcher.pods(matching: scoped($0.selector, $0.metadata.key)).count }
    }

    /// The selectors among an object's endpoints that match no pod.
    public func unresolvedSelectors(of service: ObjectKey) -> [LabelSelector] {
        let endpoints = (services[service]?.listeners ?? []).flatMap { $0.cluster?.endpoints ?? [] }
        var selectors: [LabelSelector] = []
        for case .selector(let selector) in endpoints.map(\.host) where !selectors.contains(selector) {
            if matcher.pods(matching: scoped(selector, service)).isEmpty { selectors.append(selector) }
        }
        return selectors
    }

    /// The objects of which a selector has come to match other pods since the last call.
    public mutating func takeRematched() -> Set<ObjectKey> {
        defer {
            rematched = []
            crossed = []
        }
        var objects = rematched.reduce(into: Set<ObjectKey>()) { $0.formUnion(users[$1]?.services ?? []) }
        for selector in crossed { objects.formUnion(users[selector]?.clusters.map(\.service) ?? []) }
        return objects
    }

    private mutating func noteRematched(gained: Set<ScopedSelector>, lost: Set<ScopedSelector>) {
        guard tracksMatches else { return }
        rematched.formUnion(gained.union(lost))
        crossed.formUnion(gained.filter { matcher.pods(matching: $0).count == 1 })
        crossed.formUnion(lost.filter { matcher.pods(matching: $0).isEmpty })
    }

    // MARK: Events

    /// An object exists, in this form.
    public mutating func apply(_ service: VirtualService) {
        let key = service.metadata.key
        let old = services.updateValue(service, forKey: key)
        guard old != service else { return }
        dirtyServices.insert(key)
        // The new form's uses come first, so that a selector that stays is never without a user.
        for (selector, place) in uses(of: service) { use(selector) { $0.clusters.insert(place) } }
        use(scoped(service.selector, key)) { $0.services.insert(key) }
        guard let old else { return }
        let kept = Set(uses(of: service).map { Use(selector: $0.0, place: $0.1) })
        for (selector, place) in uses(of: old) where !kept.contains(Use(selector: selector, place: place)) {
            endUse(selector) { $0.clusters.remove(place) }
        }
        if old.selector != service.selector { endUse(scoped(old.selector, key)) { $0.services.remove(key) } }
    }

    /// An object exists no more.
    public mutating func remove(service key: ObjectKey) {
        guard let old = services.removeValue(forKey: key) else { return }
        dirtyServices.insert(key)
        for (selector, place) in uses(of: old) { endUse(selector) { $0.clusters.remove(place) } }
        endUse(scoped(old.selector, key)) { $0.services.remove(key) }
    }

    /// A pod exists, in this form.
    public mutating func apply(_ pod: Pod) {
        let key = pod.key
        let old = pods.updateValue(pod, forKey: key)
        guard old != pod else { return }
        if let old, old.metadata.uid != pod.metadata.uid { forget(uid: old.metadata.uid, of: key) }
        if !pod.metadata.uid.isEmpty { podsByUID[pod.metadata.uid] = pod }
        let change = matcher.set(key, labels: pod.labels)
        let selectors = matcher.selectors(matching: key)
        if old == nil || old?.metadata.uid != pod.metadata.uid || selects(change.gained) || selects(change.lost) {
            markNode(key, uid: pod.metadata.uid)
        }
        noteRematched(gained: change.gained, lost: change.lost)
        dirtySelectors.formUnion(change.lost)
        dirtySelectors.formUnion(old.map { $0.isSameEndpoint(as: pod) } == true ? change.gained : selectors)
    }

    /// A pod exists no more.
    public mutating func remove(pod key: ObjectKey) {
        guard let pod = pods.removeValue(forKey: key) else { return }
        forget(uid: pod.metadata.uid, of: key)
        let lost = matcher.remove(key)
        dirtySelectors.formUnion(lost)
        noteRematched(gained: [], lost: lost)
        if toldNodes.contains(key) {
            goneNodes[key] = pod.metadata.uid
            dirtyNodes.insert(key)
        }
    }

    /// An Envoy has connected that calls itself `nodeID`, a pod's uid or `namespace/name`: tell of its pod, now and later.
    public mutating func watch(nodeID: String) {
        watched[nodeID, default: 0] += 1
        guard let key = key(ofNodeID: nodeID), pods[key] != nil else { return }
        dirtyNodes.insert(key)
    }

    /// Ends one `watch`.
    public mutating func unwatch(nodeID: String) {
        guard let count = watched[nodeID] else { return }
        watched[nodeID] = count > 1 ? count - 1 : nil
        guard count == 1, let key = key(ofNodeID: nodeID), toldNodes.contains(key) else { return }
        dirtyNodes.insert(key)
    }

    // MARK: Changes

    /// Resolves and returns everything that is new since the last call.
    public mutating func takeChanges() -> ResolutionChanges {
        var changes = ResolutionChanges()
        var candidates: [ScopedSelector: [EndpointPolicy.Candidate]] = [:]
        takeEndpoints(&changes, &candidates)
        for key in dirtyServices.sorted() {
            guard let service = services[key] else {
                changes.removedServices.append(key)
                continue
            }
            let endpoints = service.listeners.map { resolve($0.cluster, of: key, &candidates) }
            changes.services.append(
                ResolvedService(service: service, selector: scoped(service.selector, key), endpoints: endpoints))
        }
        dirtyServices = []
        for key in dirtyNodes.sorted() { takeNode(key, &changes) }
        dirtyNodes = []
        goneNodes = [:]
        return changes
    }

    private mutating func takeEndpoints(
        _ changes: inout ResolutionChanges, _ candidates: inout [ScopedSelector: [EndpointPolicy.Candidate]]
    ) {
        var places: Set<ListenerPlace> = []
        for selector in dirtySelectors { places.formUnion(users[selector]?.clusters ?? []) }
        dirtySelectors = []
        for place in places.sorted(by: { ($0.service, $0.listener) < ($1.service, $1.listener) }) {
            guard !dirtyServices.contains(place.service), let service = services[place.service],
                service.listeners.indices.contains(place.listener)
            else { continue }
            let endpoints = resolve(service.listeners[place.listener].cluster, of: place.service, &candidates)
            changes.endpoints.append((place.service, place.listener, endpoints))
        }
    }

    private mutating func takeNode(_ key: ObjectKey, _ changes: inout ResolutionChanges) {
        guard let pod = pods[key] else {
            if toldNodes.remove(key) != nil {
                changes.nodes.append(ResolvedNode(key: key, uid: goneNodes[key] ?? "", selectors: nil))
            }
            return
        }
        let selectors = matcher.selectors(matching: key).filter { isSelecting($0) }
        let isWatched = watched[pod.metadata.uid] != nil || watched[key.description] != nil
        if selectors.isEmpty && !isWatched {
            guard toldNodes.remove(key) != nil else { return }
            changes.nodes.append(ResolvedNode(key: key, uid: pod.metadata.uid, selectors: nil))
        } else {
            toldNodes.insert(key)
            changes.nodes.append(ResolvedNode(key: key, uid: pod.metadata.uid, selectors: selectors))
        }
    }

    private func resolve(
        _ cluster: ClusterIntent?, of service: ObjectKey, _ candidates: inout [ScopedSelector: [EndpointPolicy.Candidate]]
    ) -> [ResolvedEndpoint] {
        (cluster?.endpoints ?? []).flatMap { endpoint -> [ResolvedEndpoint] in
            func resolved(_ host: ResolvedEndpoint.Host, _ health: ResolvedEndpoint.Health = .healthy) -> ResolvedEndpoint {
                ResolvedEndpoint(host: host, port: endpoint.port, healthCheckPort: endpoint.healthCheckPort, health: health)
            }
            switch endpoint.host {
            case .address(let address): return [resolved(.address(address))]
            case .name(let name): return [resolved(.name(name))]
            case .selector(let labels):
                let selector = scoped(labels, service)
                let found =
                    candidates[selector] ?? policy.endpoints(among: matcher.pods(matching: selector).compactMap { pods[$0] })
                candidates[selector] = found
                return found.map { resolved(.address($0.address), $0.health) }
            }
        }
    }
}

// MARK: - Who uses what

extension EndpointIndex {
    private struct Use: Hashable {
        let selector: ScopedSelector
        let place: ListenerPlace
    }

    private func scoped(_ selector: LabelSelector, _ service: ObjectKey) -> ScopedSelector {
        ScopedSelector(namespace: crossesNamespaces ? nil : service.namespace, selector: selector)
    }

    private func uses(of service: VirtualService) -> [(ScopedSelector, ListenerPlace)] {
        service.listeners.enumerated().flatMap { place, listener in
            (listener.cluster?.endpoints ?? []).compactMap { endpoint in
                guard case .selector(let labels) = endpoint.host else { return nil }
                return (scoped(labels, service.metadata.key), ListenerPlace(service: service.metadata.key, listener: place))
            }
        }
    }

    private mutating func use(_ selector: ScopedSelector, _ add: (inout Users) -> Void) {
        let isNew = users[selector] == nil
        let selected = isSelecting(selector)
        // In place: a copy of the users would cost as much as there are.
        add(&users[selector, default: Users()])
        if isNew { _ = matcher.insert(selector) }
        if !selected && isSelecting(selector) { dirtyNodes.formUnion(matcher.pods(matching: selector)) }
    }

    private mutating func endUse(_ selector: ScopedSelector, _ remove: (inout Users) -> Void) {
        guard users[selector] != nil else { return }
        let selected = isSelecting(selector)
        remove(&users[selector, default: Users()])
        if selected && !isSelecting(selector) { dirtyNodes.formUnion(matcher.pods(matching: selector)) }
        guard users[selector]?.isEmpty == true else { return }
        users[selector] = nil
        _ = matcher.remove(selector)
    }

    /// Whether the selector is that of a VirtualService, and not of clusters only.
    private func isSelecting(_ selector: ScopedSelector) -> Bool { users[selector]?.services.isEmpty == false }

    private func selects(_ selectors: Set<ScopedSelector>) -> Bool {
        selectors.contains { isSelecting($0) }
    }

    private mutating func markNode(_ key: ObjectKey, uid: String) {
        let isSelected = selects(matcher.selectors(matching: key))
        let isWatched = !watched.isEmpty && (watched[uid] != nil || watched[key.description] != nil)
        if isSelected || isWatched || toldNodes.contains(key) { dirtyNodes.insert(key) }
    }

    private mutating func forget(uid: String, of key: ObjectKey) {
        if podsByUID[uid]?.key == key { podsByUID[uid] = nil }
    }

    private func key(ofNodeID nodeID: String) -> ObjectKey? {
        if let pod = podsByUID[nodeID] { return pod.key }
        guard let slash = nodeID.firstIndex(of: "/") else { return nil }
        return ObjectKey(namespace: String(nodeID[..<slash]), name: String(nodeID[nodeID.index(after: slash)...]))
    }
}

extension Pod {
    /// Whether nothing has changed that an endpoint shows.
    fileprivate func isSameEndpoint(as other: Pod) -> Bool {
        addresses.first == other.addresses.first && phase == other.phase && isReady == other.isReady
            && metadata.isTerminating == other.metadata.isTerminating
    }
}
