import Domain

/// All Envoys whose pods match exactly the same selectors, and the one snapshot that they share.
struct NodeGroup {
    private struct StepKey: Hashable {
        let part: Part
        let from: Position?
    }

    let id: GroupID
    /// The selectors that the members' pods match.
    private(set) var selectors: Set<ScopedSelector>
    /// Pods in the group.
    var memberCount = 0
    /// Streams whose state is, in part, this group's.
    var streamCount = 0
    /// Whether some of the streams may be those of pods that are gone, which keep their last configuration.
    var hasOrphans = false
    private(set) var revision = Revision.initial
    private(set) var clusters: ResourceTable
    private(set) var endpoints: ResourceTable
    private(set) var listeners: ResourceTable
    private var claims = ClaimTable()
    private var units: [UnitID: ListenerUnit] = [:]
    private var unitsChanged = false
    /// Objects of which something was replaced, or came into or went out of service, since they were last taken.
    private var touchedServices: Set<ObjectKey> = []
    /// What has been done for this group.
    private(set) var effort = SnapshotEffort()
    /// Steps that end at `revision`.
    private var steps: [StepKey: Step] = [:]
    /// Endpoints at `revision` that were asked for together, by name.
    private var bundles: [Set<String>: Step] = [:]
    private static let bundleLimit = 64
    private static let bundleNames = 256
    private var bundleByteCount = 0
    private static let bundleBytes = 1 << 20
    /// Whole states at `revision`, and what was in earlier ones.
    var worlds = WorldCache()

    init(id: GroupID, selectors: Set<ScopedSelector> = [], logFloor: Int) {
        self.id = id
        self.selectors = selectors
        clusters = ResourceTable(logFloor: logFloor)
        endpoints = ResourceTable(logFloor: logFloor)
        listeners = ResourceTable(logFloor: logFloor)
    }

    /// A group that begins with the snapshot of `other`; the storage is shared until one of the two changes.
    init(id: GroupID, forking other: NodeGroup) {
        self = NodeGroup(id: id, copying: other)
        steps = [:]
        dropBundles()
        memberCount = 0
        streamCount = 0
    }

    private init(id: GroupID, copying other: NodeGroup) {
        self.id = id
        selectors = other.selectors
        revision = other.revision
        clusters = other.clusters
        endpoints = other.endpoints
        listeners = other.listeners
        claims = other.claims
        units = other.units
        unitsChanged = other.unitsChanged
    }

    var position: Position { Position(group: id, revision: revision) }

    func table(_ type: ResourceType) -> ResourceTable {
        switch type {
        case .cluster: clusters
        case .endpoint: endpoints
        case .listener: listeners
        }
    }

    private func version(of type: ResourceType) -> Digest {
        switch type {
        case .cluster: clusters.version
        case .endpoint: endpoints.version
        case .listener: listeners.version
        }
    }

    /// The conflicts in which an object's listeners lose, or win, here.
    func conflicts(of fragment: Fragment) -> [Conflict] {
        guard claims.hasRivals else { return [] }
        return fragment.units.flatMap { unit in
            let id = UnitID(service: fragment.service, listener: unit.listener.name)
            return claims.conflicts(of: id) + claims.victims(of: id)
        }
    }

    /// The object whose resource `name` is served.
    func owner(of type: ResourceType, _ name: String) -> ObjectKey? {
        claims.holder(of: type == .listener ? .listenerName(name) : .clusterName(name))?.service
    }

    /// The objects that the commits since the last call touched, also where the bytes stayed the same.
    mutating func takeTouchedServices() -> Set<ObjectKey> {
        defer { touchedServices = [] }
        return touchedServices
    }

    /// Notes that `count` resources were compared with what a client brought.
    mutating func compared(_ count: Int) { effort.comparedResources += count }

    mutating func select(_ selector: ScopedSelector) { selectors.insert(selector) }
    mutating func deselect(_ selector: ScopedSelector) { selectors.remove(selector) }

    /// Replaces what a VirtualService contributes; takes effect at `commit`.
    mutating func replace(_ old: Fragment?, by new: Fragment?) {
        if let service = new?.service ?? old?.service {
            touchedServices.insert(service)
            // Both sides of a conflict are told of it.
            if new == nil || old == nil || new?.units.map(\.claims) != old?.units.map(\.claims) {
                for unit in (new?.units ?? []) + (old?.units ?? []) {
                    touchedServices.formUnion(claims.rivals(of: service, unit.claims))
                }
            }
        }
        var kept: Set<String> = []
        let oldPlaces = Dictionary(
            (old?.units ?? []).enumerated().map { ($0.element.listener.name, $0.offset) }, uniquingKeysWith: { first, _ in first }
        )
        if let new {
            for (place, unit) in new.units.enumerated() {
                kept.insert(unit.listener.name)
                let id = UnitID(service: new.service, listener: unit.listener.name)
                let seniority = ClaimTable.Seniority(creationSeconds: new.creationSeconds, service: new.service, place: place)
                let wasSameAge = old?.creationSeconds == new.creationSeconds && oldPlaces[unit.listener.name] == place
                set(unit, id, seniority, wasSameAge: wasSameAge)
            }
        }
        for unit in old?.units ?? [] where !kept.contains(unit.listener.name) {
            guard let old else { continue }
            withdraw(UnitID(service: old.service, listener: unit.listener.name))
        }
    }

    private mutating func set(_ unit: ListenerUnit, _ id: UnitID, _ seniority: ClaimTable.Seniority, wasSameAge: Bool) {
        guard let before = units.updateValue(unit, forKey: id) else {
            claims.insert(id, seniority, claims: unit.claims)
            unitsChanged = true
            return
        }
        if wasSameAge && before.claims == unit.claims {
            guard before != unit else {
                // The tables have the former one's bytes: no second copy is to be kept.
                units[id] = before
                return
            }
            unitsChanged = true
            if claims.isAccepted(id) {
                unserve(before)
                serve(unit)
            }
        } else {
            unitsChanged = true
            if claims.remove(id) { unserve(before) }
            claims.insert(id, seniority, claims: unit.claims)
        }
    }

    private mutating func withdraw(_ id: UnitID) {
        guard let unit = units.removeValue(forKey: id) else { return }
        unitsChanged = true
        if claims.remove(id) { unserve(unit) }
    }

    /// Decides who is served and makes the changes a revision; returns whether anything served has changed.
    mutating func commit() -> Bool {
        guard unitsChanged else { return false }
        unitsChanged = false
        let decisions = claims.settle()
        effort.decidedListeners += decisions.count
        touchedServices.formUnion(decisions.map(\.unit.service))
        // All that loses its place goes first: a winner's resource may carry the loser's name.
        for decision in decisions where !decision.isAccepted { units[decision.unit].map { unserve($0) } }
        for decision in decisions where decision.isAccepted { units[decision.unit].map { serve($0) } }
        let next = revision.next
        let clustersChanged = clusters.commit(at: next)
        let endpointsChanged = endpoints.commit(at: next)
        let listenersChanged = listeners.commit(at: next)
        guard clustersChanged || endpointsChanged || listenersChanged else { return false }
        revision = next
        steps = [:]
        dropBundles()
        worlds.moveOn(to: next, clusters: clusters)
        return true
    }

    private mutating func serve(_ unit: ListenerUnit) {
        clusters.set(unit.cluster)
        if let assignment = unit.assignment { endpoints.set(assignment) }
        listeners.set(unit.listener)
    }

    private mutating func unserve(_ unit: ListenerUnit) {
        worlds.unserved(unit.cluster)
        clusters.remove(unit.cluster.name)
        if let assignment = unit.assignment { endpoints.remove(assignment.name) }
        listeners.remove(unit.listener.name)
    }

    /// The step of `part` from `start` to the present, or nil when the log does not reach back to it.
    /// - Parameters:
    ///   - start: nil for a stream that has nothing yet.
    ///   - origin: the group of `start`, when that is another one.
    mutating func step(_ part: Part, from start: Position?, origin: NodeGroup?) -> Step? {
        let key = StepKey(part: part, from: start)
        if let known = steps[key] { return known }
        guard let step = makeStep(part, from: start, origin: origin) else { return nil }
        effort.framedResponses += step.body.isEmpty ? 0 : 1
        effort.framedResources += step.carried.count + step.carriedRemovals.count
        steps[key] = step
        return step
    }

    private mutating func dropBundles() {
        guard !bundles.isEmpty else { return }
        bundles = [:]
        bundleByteCount = 0
    }

    /// What says the endpoints of `names`, all of which exist; nil for others.
    mutating func bundle(of names: Set<String>) -> Step? {
        // Many names are nobody's clusters of the moment, and what answers them is not worth keeping.
        guard !names.isEmpty, names.count <= Self.bundleNames else { return nil }
        if let known = bundles[names] { return known }
        var resources: [EncodedResource] = []
        resources.reserveCapacity(names.count)
        for name in names {
            guard let resource = endpoints.resources[name] else { return nil }
            resources.append(resource)
        }
        let bundle = Step(part: .endpoints, systemVersion: "", updated: resources.sorted { $0.name < $1.name })
        effort.framedResponses += 1
        effort.framedResources += resources.count
        // Whoever asks for something of its own need not keep it here.
        if bundles.count >= Self.bundleLimit || bundleByteCount >= Self.bundleBytes { dropBundles() }
        bundles[names] = bundle
        bundleByteCount += bundle.body.count
        return bundle
    }

    private func makeStep(_ part: Part, from start: Position?, origin: NodeGroup?) -> Step? {
        let systemVersion = version(of: part.type).description
        guard let start else {
            let all = part == .clusterRemovals ? [] : table(part.type).resources.values.sorted { $0.name < $1.name }
            // A stream that has nothing counts everything as known before: it takes the whole or asks by name.
            return Step(part: part, systemVersion: systemVersion, updated: all)
        }
        guard let changes = changes(table: part.type, from: start, origin: origin) else { return nil }
        switch part {
        case .clusterUpdates:
            return Step(part: part, systemVersion: systemVersion, updated: changes.updated, added: changes.added)
        case .clusterRemovals:
            // Additions and removals advance apart, so that a stream may hold what was only passing between the two.
            return Step(part: part, systemVersion: systemVersion, removed: (changes.removed + changes.passing).sorted())
        case .listeners:
            return Step(
                part: part, systemVersion: systemVersion, updated: changes.updated, added: changes.added, removed: changes.removed
            )
        case .endpoints:
            guard let clusterChanges = self.changes(table: .cluster, from: start, origin: origin) else { return nil }
            let fresh = Set((changes.updated + changes.added).map(\.name))
            let resent = clusterChanges.updated.compactMap { fresh.contains($0.name) ? nil : endpoints.resources[$0.name] }
            return Step(
                part: part, systemVersion: systemVersion, updated: changes.updated, added: changes.added, resent: resent,
                removed: changes.removed)
        }
    }

    private func changes(table type: ResourceType, from start: Position, origin: NodeGroup?) -> ResourceTable.Changes? {
        if start.group == id { return table(type).changes(since: start.revision) }
        return origin.flatMap { table(type).changes(from: $0.table(type), since: start.revision) }
    }
}
