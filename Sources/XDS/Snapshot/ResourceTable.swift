import DequeModule

/// The resources of one type in one group's snapshot, with the log of their changes.
///
/// Changes are staged by `set` and `remove` and take effect at `commit`, so that a resource that ends a batch as it began it
/// is no change.
struct ResourceTable {
    private struct LogEntry {
        let revision: Revision
        let name: String
        let existedBefore: Bool
    }

    /// A name that changes: beside a table of tens of thousands this is small, and looked into instead of that.
    private struct Staged {
        let before: EncodedResource?
        var now: EncodedResource?
    }

    /// What became of the names that changed after some revision.
    struct Changes {
        /// In the table then and now.
        var updated: [EncodedResource] = []
        /// In the table now, not then.
        var added: [EncodedResource] = []
        /// In the table then, not now.
        var removed: [String] = []
        /// In the table at some time after then, neither then nor now.
        var passing: [String] = []
    }

    private(set) var resources: [String: EncodedResource] = [:]
    /// An order-independent combination of all resources' versions.
    private(set) var version = Digest.zero
    /// The bytes of all resources' delta fields.
    private(set) var byteCount = 0
    private var staged: [String: Staged] = [:]
    private var log: Deque<LogEntry> = []
    /// Changes at or before this revision are no longer in the log.
    private var horizon = Revision.initial
    private let logFloor: Int

    /// - Parameter logFloor: the log keeps at least this many changes, and at least twice as many as there are resources.
    init(logFloor: Int = 16_384) { self.logFloor = logFloor }

    mutating func set(_ resource: EncodedResource) {
        stage(resource.name, resources.updateValue(resource, forKey: resource.name), resource)
    }

    mutating func remove(_ name: String) {
        stage(name, resources.removeValue(forKey: name), nil)
    }

    /// Makes the staged changes part of `revision`; returns whether there was any.
    mutating func commit(at revision: Revision) -> Bool {
        guard !staged.isEmpty else { return false }
        var changed = false
        for (name, change) in staged {
            let (before, now) = (change.before, change.now)
            guard before?.version != now?.version else { continue }
            changed = true
            byteCount += (now?.deltaField.count ?? 0) - (before?.deltaField.count ?? 0)
            if let before { version.subtract(before.version) }
            if let now { version.add(now.version) }
            log.append(LogEntry(revision: revision, name: name, existedBefore: before != nil))
        }
        // A batch may be large once (the first sync); its storage must not stay.
        staged = [:]
        let limit = max(logFloor, 2 * resources.count)
        while log.count > limit, let forgotten = log.popFirst() { horizon = forgotten.revision }
        return changed
    }

    /// What changed after `revision`, sorted by name, or nil when the log no longer reaches back so far.
    func changes(since revision: Revision) -> Changes? {
        guard revision >= horizon else { return nil }
        var existed: [String: Bool] = [:]
        for entry in log[firstIndex(after: revision)...] where existed[entry.name] == nil {
            existed[entry.name] = entry.existedBefore
        }
        return classify(existed)
    }

    /// The changes that lead from what `origin` held at `revision` to this table, or nil when its log no longer reaches back.
    func changes(from origin: ResourceTable, since revision: Revision) -> Changes? {
        guard let earlier = origin.changes(since: revision) else { return nil }
        var existed: [String: Bool] = [:]
        for name in origin.resources.keys where origin.resources[name]?.version != resources[name]?.version {
            existed[name] = true
        }
        for name in resources.keys where origin.resources[name] == nil { existed[name] = false }
        for resource in earlier.updated { existed[resource.name] = true }
        for resource in earlier.added { existed[resource.name] = false }
        for name in earlier.removed { existed[name] = true }
        for name in earlier.passing { existed[name] = false }
        return classify(existed)
    }

    private func classify(_ existed: [String: Bool]) -> Changes {
        var changes = Changes()
        for (name, existedThen) in existed.sorted(by: { $0.key < $1.key }) {
            switch (existedThen, resources[name]) {
            case (true, let now?): changes.updated.append(now)
            case (false, let now?): changes.added.append(now)
            case (true, nil): changes.removed.append(name)
            case (false, nil): changes.passing.append(name)
            }
        }
        return changes
    }

    /// What a name had before the first of several changes stays what it had.
    private mutating func stage(_ name: String, _ before: EncodedResource?, _ now: EncodedResource?) {
        staged[name, default: Staged(before: before, now: nil)].now = now
    }

    /// The log is sorted by revision. Who asks was there a moment ago: searched from the end, what is older is not even looked at.
    private func firstIndex(after revision: Revision) -> Int {
        var high = log.endIndex
        var reach = 1
        while high > log.startIndex, log[max(log.startIndex, high - reach)].revision > revision {
            high = max(log.startIndex, high - reach)
            reach *= 2
        }
        var low = max(log.startIndex, high - reach)
        while low < high {
            let middle = low + (high - low) / 2
            if log[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
