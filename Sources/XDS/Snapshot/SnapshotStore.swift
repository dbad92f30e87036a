public import Domain

/// What a commit did.
public struct SnapshotChanges: Sendable {
    /// Groups whose snapshots have a new revision.
    public var groups: Set<GroupID> = []
    /// Pods that are in another group than before.
    public var moves: [ObjectKey: GroupID] = [:]
    /// Objects that were replaced, served or withheld, by group; also where no byte changed.
    var services: [GroupID: Set<ObjectKey>] = [:]
    /// Groups that nothing needs any more.
    var dropped: [GroupID] = []
}

/// How much there is of one type.
public struct SnapshotSize: Sendable, Hashable {
    /// The type.
    public let type: ResourceType
    /// Resources.
    public internal(set) var count: Int
    /// Their bytes, as they travel; what groups share counts for each of them.
    public internal(set) var byteCount: Int
}

/// All node groups, kept up from fragments and from the selectors that each pod matches.
///
/// Indexes lead from a fragment to the groups that it touches, and from a pod to its group; nothing is found by scanning.
public struct SnapshotStore {
    private var fragments: [ObjectKey: Fragment] = [:]
    private var servicesBySelector: [ScopedSelector: Set<ObjectKey>] = [:]
    private var groups: [GroupID: NodeGroup] = [:]
    private var groupsBySelector: [ScopedSelector: Set<GroupID>] = [:]
    /// The one group of all pods that match the same selectors.
    private var groupBySelectors: [Set<ScopedSelector>: GroupID] = [:]
    private var groupByNode: [ObjectKey: GroupID] = [:]
    private var pendingNodes: [ObjectKey: Set<ScopedSelector>?] = [:]
    private var touched: Set<GroupID> = []
    private var nextGroup: UInt64 = 1
    /// The work done for groups that are gone.
    private var pastEffort = SnapshotEffort()
    private let logFloor: Int

    /// Makes an empty store.
    /// - Parameter logFloor: how many changes of a type a group remembers at least; a stream further back must reconnect.
    public init(logFloor: Int = 16_384) { self.logFloor = logFloor }

    /// How many VirtualServices, pods and groups the store holds.
    public var counts: (fragments: Int, nodes: Int, groups: Int) { (fragments.count, groupByNode.count, groups.count) }

    /// How much is in the snapshots of all groups, by type.
    public var sizes: [SnapshotSize] {
        ResourceType.allCases.map { type in
            groups.values.reduce(into: SnapshotSize(type: type, count: 0, byteCount: 0)) { size, group in
                let table = group.table(type)
                size.count += table.resources.count
                size.byteCount += table.byteCount
            }
        }
    }

    /// The work done for all groups, also those that are gone: it never falls.
    public var effort: SnapshotEffort { groups.values.reduce(pastEffort) { $0 + $1.effort } }

    // MARK: Changes; they take effect together at `commit`

    /// Adds or replaces what a VirtualService compiles to.
    public mutating func setFragment(_ fragment: Fragment) {
        let old = fragments.updateValue(fragment, forKey: fragment.service)
        if let old, old.selector != fragment.selector {
            removeIndex(old)
            for group in groupsBySelector[old.selector] ?? [] { replace(old, by: nil, in: group) }
        }
        servicesBySelector[fragment.selector, default: []].insert(fragment.service)
        let before = old?.selector == fragment.selector ? old : nil
        for group in groupsBySelector[fragment.selector] ?? [] { replace(before, by: fragment, in: group) }
    }

    /// Takes out what a VirtualService contributed.
    public mutating func removeFragment(_ service: ObjectKey) {
        guard let old = fragments.removeValue(forKey: service) else { return }
        removeIndex(old)
        for group in groupsBySelector[old.selector] ?? [] { replace(old, by: nil, in: group) }
    }

    /// Says which selectors of VirtualServices a pod matches; none is a value.
    public mutating func setNode(_ node: ObjectKey, selectors: Set<ScopedSelector>) { pendingNodes[node] = .some(selectors) }

    /// Forgets a pod. Streams that are pinned to its group keep it.
    public mutating func removeNode(_ node: ObjectKey) { pendingNodes.updateValue(.none, forKey: node) }

    /// Makes all changes since the last commit take effect, as one revision of each group that they change.
    public mutating func commit() -> SnapshotChanges {
        var changes = SnapshotChanges()
        moveNodes(&changes)
        for id in touched where groups[id]?.commit() == true { changes.groups.insert(id) }
        for id in touched {
            if let services = groups[id]?.takeTouchedServices(), !services.isEmpty { changes.services[id] = services }
            if dropIfUnused(id) { changes.dropped.append(id) }
        }
        touched = []
        return changes
    }

    // MARK: Questions

    /// The group of a pod; nil for a pod that is not known.
    public func group(of node: ObjectKey) -> GroupID? { groupByNode[node] }

    /// Where the group's snapshot stands.
    public func position(of group: GroupID) -> Position? { groups[group]?.position }

    /// Every resource of `type` that the Envoys of `group` get, by name.
    public func resources(_ type: ResourceType, in group: GroupID) -> [EncodedResource] {
        groups[group]?.table(type).resources.values.sorted { $0.name < $1.name } ?? []
    }

    /// The same in no order, for callers who have more time to sort than the owner of the store.
    public func unsortedResources(_ type: ResourceType, in group: GroupID) -> [EncodedResource] {
        groups[group].map { Array($0.table(type).resources.values) } ?? []
    }

    /// What became of a table since a position of the same group or another; nil when the way from there is forgotten.
    func changes(_ type: ResourceType, since position: Position, in group: GroupID) -> ResourceTable.Changes? {
        if position.group == group { return groups[group]?.table(type).changes(since: position.revision) }
        guard let origin = groups[position.group]?.table(type) else { return nil }
        return groups[group]?.table(type).changes(from: origin, since: position.revision)
    }

    /// The conflicts in which an object's listeners are withheld, or keep others from being served, in whichever group.
    public func conflicts(of service: ObjectKey) -> Set<Conflict> {
        guard let fragment = fragments[service] else { return [] }
        return (groupsBySelector[fragment.selector] ?? []).reduce(into: []) { conflicts, group in
            conflicts.formUnion(groups[group]?.conflicts(of: fragment) ?? [])
        }
    }

    /// The object whose resource the Envoys of `group` get under `name`.
    func owner(of type: ResourceType, _ name: String, in group: GroupID) -> ObjectKey? { groups[group]?.owner(of: type, name) }

    /// The groups whose Envoys an object configures.
    public func groups(of service: ObjectKey) -> Set<GroupID> {
        fragments[service].flatMap { groupsBySelector[$0.selector] } ?? []
    }

    /// The objects that configure the Envoys of `group`.
    func services(in group: GroupID) -> Set<ObjectKey> {
        (groups[group]?.selectors ?? []).reduce(into: []) { $0.formUnion(servicesBySelector[$1] ?? []) }
    }

    /// Answers a stream whose group is `group`.
    public mutating func answer(_ fetch: Fetch, in group: GroupID) -> FetchResult {
        var result = FetchResult(fetch, position: groups[group]?.position ?? Position(group: group, revision: .initial))
        guard let table = groups[group]?.table(fetch.type) else {
            result.isOutdated = true
            return result
        }
        result.version = table.version
        result.isHeld = fetch.held.map(table.equals) ?? false
        if let world = fetch.world {
            result.world = groups[group]?.worlds.answer(fetch.type, world, table, at: result.position.revision)
            if fetch.type == .cluster, let endpoints = groups[group]?.endpoints {
                result.world?.assignments = endpoints.resources
                result.world?.endpointVersion = endpoints.version
            }
            return result
        }
        if fetch.held != nil && !result.isHeld { groups[group]?.compared(table.resources.count) }
        for (part, start) in fetch.steps {
            if start == nil, let held = fetch.held {
                result.steps[part] =
                    result.isHeld
                    ? Step(part: part, systemVersion: table.version.description) : table.difference(to: held, part: part)
            } else if let step = step(part, from: start, in: group) {
                result.steps[part] = step
            } else {
                result.isOutdated = true
            }
        }
        result.absent = fetch.checked.filter { table.resources[$0] == nil }
        for name in fetch.refreshed where table.resources[name] != nil {
            result.named.updateValue(table.resources[name], forKey: name)
        }
        name(fetch, in: group, table, &result)
        return result
    }

    /// The steps that lead from an earlier revision of a group to the present; nil when it is the present.
    public mutating func update(of group: GroupID, from revision: Revision) -> GroupUpdate? {
        guard let to = groups[group]?.position, revision < to.revision else { return nil }
        let from = Position(group: group, revision: revision)
        var steps = PartTable<Step>()
        for part in Part.allCases {
            guard let step = step(part, from: from, in: group) else { return GroupUpdate(from: nil, to: to) }
            if !step.isEmpty { steps[part] = step }
        }
        return GroupUpdate(from: from, to: to, steps: steps)
    }

    // MARK: Streams that stand in a group's past

    /// Keeps `group` while a stream's state refers to it.
    public mutating func pin(_ group: GroupID) { groups[group]?.streamCount += 1 }

    /// Ends one `pin`; returns whether that was the end of the group.
    @discardableResult
    public mutating func unpin(_ group: GroupID) -> Bool {
        groups[group]?.streamCount -= 1
        if let left = groups[group]?.streamCount, left <= 0 { groups[group]?.hasOrphans = false }
        return dropIfUnused(group)
    }
}

extension SnapshotStore {
    private mutating func step(_ part: Part, from start: Position?, in group: GroupID) -> Step? {
        let origin = start.flatMap { $0.group == group ? nil : groups[$0.group] }
        if let start, start.group != group, origin == nil { return nil }
        return groups[group]?.step(part, from: start, origin: origin)
    }

    private mutating func name(_ fetch: Fetch, in group: GroupID, _ table: ResourceTable, _ result: inout FetchResult) {
        let all = table.resources
        // Who has all that there is, and asks for just that, needs nothing.
        if result.isHeld, let held = fetch.held, fetch.names.count == all.count, fetch.names.isSubset(of: held.versions.keys) {
            if fetch.subscription == fetch.names { result.coverage = SubscriptionCoverage(missing: [], unknown: []) }
            return
        }
        if let subscription = fetch.subscription, subscription.count + 256 >= all.count, !all.isEmpty {
            let missing = all.keys.filter { !subscription.contains($0) }
            if missing.count <= 256 {
                let unknown = subscription.filter { all[$0] == nil }
                result.coverage = SubscriptionCoverage(missing: Set(missing), unknown: unknown)
            }
        }
        // The common case of a new Envoy, which asks for the endpoints of all its clusters: the answer is the same for all.
        if fetch.held == nil, fetch.type == .endpoint, !all.isEmpty, fetch.names.count >= all.count,
            all.keys.allSatisfy(fetch.names.contains)
        {
            result.everything = step(.endpoints, from: nil, in: group)
            for name in fetch.names where all[name] == nil { result.named.updateValue(nil, forKey: name) }
            return
        }
        if fetch.takesBundle, let bundle = groups[group]?.bundle(of: fetch.names) {
            result.bundle = bundle
            return
        }
        for name in fetch.names {
            let resource = all[name]
            if let resource, fetch.held?.has(resource) == true { continue }
            result.named.updateValue(resource, forKey: name)
        }
    }

    private mutating func replace(_ old: Fragment?, by new: Fragment?, in group: GroupID) {
        groups[group]?.replace(old, by: new)
        touched.insert(group)
    }

    private mutating func removeIndex(_ fragment: Fragment) {
        servicesBySelector[fragment.selector]?.remove(fragment.service)
        if servicesBySelector[fragment.selector]?.isEmpty == true { servicesBySelector[fragment.selector] = nil }
    }

    /// Pods that leave one group for the same selectors move together, so that a whole group can change its selectors in place.
    private mutating func moveNodes(_ changes: inout SnapshotChanges) {
        struct Move: Hashable {
            let from: GroupID?
            let selectors: Set<ScopedSelector>
        }
        var moves: [Move: [ObjectKey]] = [:]
        for (node, selectors) in pendingNodes {
            let from = groupByNode[node]
            if let selectors {
                if let from, groups[from]?.selectors == selectors { continue }
                moves[Move(from: from, selectors: selectors), default: []].append(node)
            } else if let from {
                groupByNode[node] = nil
                groups[from]?.memberCount -= 1
                if let streams = groups[from]?.streamCount, streams > 0 { groups[from]?.hasOrphans = true }
                touched.insert(from)
            }
        }
        pendingNodes = [:]
        for (move, nodes) in moves {
            let target = destination(of: nodes.count, from: move.from, selectors: move.selectors)
            guard target != move.from else { continue }
            for node in nodes {
                groupByNode[node] = target
                changes.moves[node] = target
            }
            groups[target]?.memberCount += nodes.count
            if let from = move.from {
                groups[from]?.memberCount -= nodes.count
                touched.insert(from)
            }
        }
    }

    private mutating func destination(of count: Int, from: GroupID?, selectors: Set<ScopedSelector>) -> GroupID {
        if let known = groupBySelectors[selectors] { return known }
        guard let from, let members = groups[from]?.memberCount, let before = groups[from]?.selectors,
            let hasOrphans = groups[from]?.hasOrphans
        else { return makeGroup(forking: nil, selectors) }
        guard members == count, !hasOrphans else { return makeGroup(forking: groups[from], selectors) }
        // All of a group goes the same way: the group itself does.
        groupBySelectors[before] = nil
        reselect(from, selectors)
        groupBySelectors[selectors] = from
        return from
    }

    private mutating func makeGroup(forking origin: NodeGroup?, _ selectors: Set<ScopedSelector>) -> GroupID {
        let id = GroupID(number: nextGroup)
        nextGroup += 1
        groups[id] = origin.map { NodeGroup(id: id, forking: $0) } ?? NodeGroup(id: id, logFloor: logFloor)
        for selector in origin?.selectors ?? [] { groupsBySelector[selector, default: []].insert(id) }
        groupBySelectors[selectors] = id
        reselect(id, selectors)
        return id
    }

    private mutating func reselect(_ id: GroupID, _ selectors: Set<ScopedSelector>) {
        touched.insert(id)
        guard let before = groups[id]?.selectors else { return }
        for selector in before.subtracting(selectors) {
            groups[id]?.deselect(selector)
            groupsBySelector[selector]?.remove(id)
            if groupsBySelector[selector]?.isEmpty == true { groupsBySelector[selector] = nil }
            for service in servicesBySelector[selector] ?? [] { groups[id]?.replace(fragments[service], by: nil) }
        }
        for selector in selectors.subtracting(before) {
            groups[id]?.select(selector)
            groupsBySelector[selector, default: []].insert(id)
            for service in servicesBySelector[selector] ?? [] { groups[id]?.replace(nil, by: fragments[service]) }
        }
    }

    @discardableResult
    private mutating func dropIfUnused(_ id: GroupID) -> Bool {
        guard let group = groups[id], group.memberCount <= 0, group.streamCount <= 0 else { return false }
        groups[id] = nil
        pastEffort = pastEffort + group.effort
        for selector in group.selectors {
            groupsBySelector[selector]?.remove(id)
            if groupsBySelector[selector]?.isEmpty == true { groupsBySelector[selector] = nil }
        }
        if groupBySelectors[group.selectors] == id { groupBySelectors[group.selectors] = nil }
        return true
    }
}

extension ResourceTable {
    /// Whether a client that has `held` has just what is in the table. The digests are of bytes that contain the names, so that their
    /// sum tells which name has which version.
    func equals(_ held: HeldResources) -> Bool { held.versions.count == resources.count && held.sum == version }

    /// The step of a stream whose client brought `held` from an earlier connection.
    func difference(to held: HeldResources, part: Part) -> Step {
        let system = version.description
        let added = resources.values.filter { held.versions[$0.name] == nil }
        let stale = resources.values.filter { resource in held.versions[resource.name].map { $0 != resource.version } ?? false }
        // Clusters are taken away later, when no listener needs them.
        let removed = part == .listeners ? held.versions.keys.filter { resources[$0] == nil }.sorted() : []
        return Step(
            part: part, systemVersion: system, updated: stale.sorted { $0.name < $1.name },
            added: added.sorted { $0.name < $1.name }, removed: removed)
    }
}

extension Step {
    /// Nothing is to be said, nor to be remembered.
    var isEmpty: Bool { updated.isEmpty && added.isEmpty && resent.isEmpty && removed.isEmpty }
}
