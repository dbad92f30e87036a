public import Domain

/// Which stream follows which group, and which loop has to hear of what: the state beside the snapshot cache's actor.
public struct FanOut {
    private struct Stream {
        let loop: LoopID
        let nodeID: String
        var group: GroupID?
        var pins: Set<GroupID> = []
    }

    private struct Loop {
        /// The revision of each group that the loop's streams in step have been handed, and how many streams follow the group.
        var groups: [GroupID: (revision: Revision, streams: Int)] = [:]
        var changedGroups: Set<GroupID> = []
        /// When the oldest change was heard of that made a group one of `changedGroups`.
        var changedSince: [GroupID: ContinuousClock.Instant] = [:]
        var assigned: Set<StreamID> = []
    }

    /// The snapshots.
    public private(set) var store: SnapshotStore
    private var isSynced = false
    private var streams: [StreamID: Stream] = [:]
    private var streamsByNodeID: [String: Set<StreamID>] = [:]
    private var nodes: [String: ObjectKey] = [:]
    private var uids: [ObjectKey: String] = [:]
    private var loops: [LoopID: Loop] = [:]
    private var loopsByGroup: [GroupID: Set<LoopID>] = [:]
    /// How far the Envoys of each group are.
    private var standings: [GroupID: GroupStanding] = [:]
    private var ledger = ProgressLedger()

    /// Groups whose streams have come or gone: all their objects are accounted for anew, once somebody asks.
    private var touchedGroups: Set<GroupID> = []
    /// Envoys of which it is to be seen anew how far they are.
    private var moved: Set<Follower> = []
    private let tracksProgress: Bool

    private struct Follower: Hashable {
        let nodeID: String
        let group: GroupID
    }

    /// Makes a fan-out of empty snapshots.
    /// - Parameter tracksProgress: whether to keep account of who has what. Then somebody must take it regularly, and forget
    ///   the objects that are gone.
    public init(store: SnapshotStore = SnapshotStore(), tracksProgress: Bool = false) {
        self.store = store
        self.tracksProgress = tracksProgress
    }

    /// How many streams are attached, and how many of them wait for their pod to become known.
    public var counts: (streams: Int, waiting: Int) { (streams.count, streams.values.count { $0.group == nil }) }

    /// The group of the Envoy that calls itself `nodeID`.
    public func group(ofNodeID nodeID: String) -> GroupID? { nodes[nodeID].flatMap { store.group(of: $0) } }

    /// Who says of a resource what its stream's client says of it, and whose it is: the node id that the Envoy gave, nil for a stream
    /// that has ended, and the object, nil for a resource that is served no more.
    public func origin(of type: ResourceType, _ name: String, told stream: StreamID) -> (nodeID: String?, owner: ObjectKey?) {
        let record = streams[stream]
        return (record?.nodeID, record?.group.flatMap { store.owner(of: type, name, in: $0) })
    }

    // MARK: Changes from above

    /// Adds or replaces what a VirtualService compiles to; takes effect at `commit`.
    public mutating func setFragment(_ fragment: Fragment) { store.setFragment(fragment) }

    /// Takes out what a VirtualService contributed; takes effect at `commit`.
    public mutating func removeFragment(_ service: ObjectKey) { store.removeFragment(service) }

    /// Takes in what became of a pod; takes effect at `commit`.
    public mutating func setNode(_ change: NodeChange) {
        if let uid = uids[change.key], uid != change.uid || change.selectors == nil { nodes[uid] = nil }
        guard let selectors = change.selectors else {
            nodes[change.key.description] = nil
            uids[change.key] = nil
            // Streams of a pod that is gone keep their configuration until they end: the group is pinned for them.
            store.removeNode(change.key)
            return
        }
        if !change.uid.isEmpty { uids[change.key] = change.uid }
        for id in change.nodeIDs where nodes[id] != change.key {
            nodes[id] = change.key
            // A stream may have waited for just this pod, whose group need not change now.
            for stream in streamsByNodeID[id] ?? [] { markAssigned(stream) }
        }
        store.setNode(change.key, selectors: selectors)
    }

    /// Makes the changes take effect; returns the loops that have something to fetch.
    /// - Parameters:
    ///   - synced: whether everything that exists has been said. Until then no stream is given a group.
    ///   - since: when the first of the changes was heard of; it travels with the updates that come of them.
    public mutating func commit(synced: Bool, since: ContinuousClock.Instant? = nil) -> Set<LoopID> {
        let changes = store.commit()
        for group in changes.groups {
            for loop in loopsByGroup[group] ?? [] {
                loops[loop]?.changedGroups.insert(group)
                if let since, loops[loop]?.changedSince[group] == nil { loops[loop]?.changedSince[group] = since }
            }
        }
        for node in changes.moves.keys {
            for id in [uids[node], node.description].compactMap(\.self) {
                for stream in streamsByNodeID[id] ?? [] { markAssigned(stream) }
            }
        }
        if synced && !isSynced {
            isSynced = true
            for stream in streams.keys { markAssigned(stream) }
        }
        for (group, services) in changes.services {
            guard tracksProgress, let position = store.position(of: group) else { continue }
            for service in services { ledger.published(service, in: position) }
        }
        for group in changes.dropped { ledger.forget(group) }
        guard isSynced else { return [] }
        return Set(loops.filter { !$0.value.changedGroups.isEmpty || !$0.value.assigned.isEmpty }.keys)
    }

    // MARK: Loops

    /// Takes what the streams of `loop` have to say, and answers with all that they have to hear.
    public mutating func serve(_ loop: LoopID, _ request: LoopRequest) -> LoopReply {
        for (stream, nodeID) in request.attached { attach(stream, nodeID, loop) }
        for (stream, progress) in request.progressed { take(progress, of: stream) }
        for stream in request.detached { detach(stream) }
        var reply = LoopReply()
        reply.assignments = takeAssignments(loop)
        reply.updates = takeUpdates(loop)
        for (stream, group, fetches) in request.fetches where streams[stream] != nil {
            reply.answers.append((stream, fetches.map { store.answer($0, in: group) }))
        }
        for (stream, group) in request.released { release(stream, group) }
        restand()
        return reply
    }

    private mutating func attach(_ stream: StreamID, _ nodeID: String, _ loop: LoopID) {
        streams[stream] = Stream(loop: loop, nodeID: nodeID)
        streamsByNodeID[nodeID, default: []].insert(stream)
        markAssigned(stream)
    }

    private mutating func detach(_ stream: StreamID) {
        guard let record = streams.removeValue(forKey: stream) else { return }
        streamsByNodeID[record.nodeID]?.remove(stream)
        if streamsByNodeID[record.nodeID]?.isEmpty == true { streamsByNodeID[record.nodeID] = nil }
        loops[record.loop]?.assigned.remove(stream)
        ledger.forget(stream)
        if let group = record.group { leave(group, record.loop, stream, record.nodeID) }
        for group in record.pins where store.unpin(group) { ledger.forget(group) }
    }

    private mutating func release(_ stream: StreamID, _ group: GroupID) {
        guard streams[stream]?.group != group, streams[stream]?.pins.remove(group) != nil else { return }
        if store.unpin(group) { ledger.forget(group) }
    }

    private mutating func markAssigned(_ stream: StreamID) {
        guard let record = streams[stream] else { return }
        loops[record.loop, default: Loop()].assigned.insert(stream)
    }

    private mutating func takeAssignments(_ loop: LoopID) -> [(StreamID, Position)] {
        guard isSynced, let waiting = loops[loop]?.assigned, !waiting.isEmpty else { return [] }
        loops[loop]?.assigned = []
        return waiting.compactMap { stream in
            guard let record = streams[stream], let group = group(ofNodeID: record.nodeID), group != record.group,
                let position = store.position(of: group)
            else { return nil }
            if streams[stream]?.pins.insert(group).inserted == true { store.pin(group) }
            streams[stream]?.group = group
            if let old = record.group { leave(old, loop, stream, record.nodeID) }
            join(position, loop, stream)
            return (stream, position)
        }
    }

    private mutating func takeUpdates(_ loop: LoopID) -> [GroupUpdate] {
        guard let changed = loops[loop]?.changedGroups, !changed.isEmpty else { return [] }
        let since = loops[loop]?.changedSince ?? [:]
        loops[loop]?.changedGroups = []
        loops[loop]?.changedSince = [:]
        return changed.compactMap { group in
            guard let known = loops[loop]?.groups[group], let position = store.position(of: group) else { return nil }
            loops[loop]?.groups[group]?.revision = position.revision
            var update = store.update(of: group, from: known.revision)
            update?.since = since[group]
            return update
        }
    }

    private mutating func join(_ position: Position, _ loop: LoopID, _ stream: StreamID) {
        let known = loops[loop]?.groups[position.group]
        // A loop that has the group already may be behind it; its update comes in the same reply.
        loops[loop, default: Loop()].groups[position.group] = (known?.revision ?? position.revision, (known?.streams ?? 0) + 1)
        loopsByGroup[position.group, default: []].insert(loop)
        if let nodeID = streams[stream]?.nodeID { markMoved(nodeID, in: position.group) }
        touchServices(in: position.group)
    }

    private mutating func leave(_ group: GroupID, _ loop: LoopID, _ stream: StreamID, _ nodeID: String) {
        ledger.forget(stream)
        markMoved(nodeID, in: group)
        touchServices(in: group)
        loops[loop]?.groups[group]?.streams -= 1
        guard let left = loops[loop]?.groups[group]?.streams, left <= 0 else { return }
        loops[loop]?.groups[group] = nil
        loops[loop]?.changedGroups.remove(group)
        loops[loop]?.changedSince[group] = nil
        loopsByGroup[group]?.remove(loop)
        if loopsByGroup[group]?.isEmpty == true { loopsByGroup[group] = nil }
    }
}

// MARK: - Who has what

extension FanOut {
    /// The objects whose progress may have changed since the last call.
    public mutating func takeProgressed() -> Set<ObjectKey> {
        defer { touchedGroups = [] }
        return touchedGroups.reduce(into: ledger.takeTouched()) { $0.formUnion(store.services(in: $1)) }
    }

    /// How far the connected Envoys are with an object, present or gone. Costs no walk over Envoys, but for those that reject something.
    public func progress(of service: ObjectKey) -> ServiceProgress {
        var progress = ServiceProgress()
        for group in store.groups(of: service).union(ledger.groups(of: service)) {
            guard let standing = standings[group] else { continue }
            let revision = ledger.revision(of: service, in: group)
            progress.connected += standing.count
            progress.programmed += standing.count(reaching: revision)
            for nodeID in standing.rejecting {
                guard let words = rejection(by: nodeID, of: service, in: group) else { continue }
                progress.rejected += 1
                progress.rejection = progress.rejection ?? words
                if standing.has(nodeID, reached: revision) { progress.programmed -= 1 }
            }
        }
        return progress
    }

    private func rejection(by nodeID: String, of service: ObjectKey, in group: GroupID) -> String? {
        for stream in streamsByNodeID[nodeID] ?? [] where streams[stream]?.group == group {
            let rejected = ledger.progress(of: stream)?.rejected ?? []
            if let culprit = rejected.first(where: { store.owner(of: $0.type, $0.name, in: group) == service }) {
                return culprit.message
            }
        }
        return nil
    }

    private mutating func markMoved(_ nodeID: String, in group: GroupID) {
        if tracksProgress { moved.insert(Follower(nodeID: nodeID, group: group)) }
    }

    /// Sees once for all that was told how far those Envoys are who told it: one may have a stream for each of its clusters.
    private mutating func restand() {
        guard !moved.isEmpty else { return }
        for envoy in moved { restand(envoy.nodeID, in: envoy.group) }
        moved = []
    }

    /// Sees anew how far an Envoy is: as far as all its streams are, once they ask for clusters and listeners between them.
    private mutating func restand(_ nodeID: String, in group: GroupID) {
        let followers = (streamsByNodeID[nodeID] ?? []).filter { streams[$0]?.group == group }
        guard !followers.isEmpty else {
            standings[group]?.remove(nodeID)
            if standings[group]?.isEmpty == true { standings[group] = nil }
            return
        }
        var types: ResourceTypes = []
        var reached: Revision?
        var isBehind = false
        var isRejecting = false
        for stream in followers {
            // Who has asked for nothing need not have anything.
            guard let progress = ledger.progress(of: stream), !progress.types.isEmpty else { continue }
            types.formUnion(progress.types)
            if !progress.rejected.isEmpty { isRejecting = true }
            guard let position = progress.acknowledged, position.group == group else {
                isBehind = true
                continue
            }
            reached = min(reached ?? position.revision, position.revision)
        }
        let isWhole = !isBehind && types.isSuperset(of: [.cluster, .listener])
        standings[group, default: GroupStanding()].set(nodeID, reached: isWhole ? reached : nil, isRejecting: isRejecting)
    }

    /// An object that is gone, and whose going everyone has acknowledged, needs no account any more.
    public mutating func forgetProgress(of service: ObjectKey) { ledger.forget(service) }

    private mutating func take(_ progress: StreamProgress, of stream: StreamID) {
        guard tracksProgress, let group = streams[stream]?.group else { return }
        let rejected = (ledger.progress(of: stream)?.rejected ?? []) + progress.rejected
        let owners = Set(rejected.compactMap { store.owner(of: $0.type, $0.name, in: group) })
        let isFirst = ledger.progress(of: stream)?.acknowledged == nil && progress.acknowledged != nil
        ledger.told(stream, progress, owners: owners)
        if let nodeID = streams[stream]?.nodeID { markMoved(nodeID, in: group) }
        if isFirst { touchServices(in: group) }
    }

    private mutating func touchServices(in group: GroupID) {
        if tracksProgress { touchedGroups.insert(group) }
    }
}
