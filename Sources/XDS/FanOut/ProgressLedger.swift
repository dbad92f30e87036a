import DequeModule
import Domain

/// Which objects became part of a group's snapshot when, and how far each stream is: who has what is the comparison of the two.
struct ProgressLedger {
    private struct Entry {
        let revision: Revision
        let service: ObjectKey
    }

    /// Objects whose account may have changed since `takeTouched`.
    private var touched: Set<ObjectKey> = []
    private var revisions: [ObjectKey: [GroupID: Revision]] = [:]
    /// The keys of `revisions`, by group.
    private var services: [GroupID: Set<ObjectKey>] = [:]
    private var log: [GroupID: Deque<Entry>] = [:]
    private var progress: [StreamID: StreamProgress] = [:]
    private let logLimit: Int

    /// - Parameter logLimit: how many changes of a group are remembered; an Envoy further behind touches what remains.
    init(logLimit: Int = 16_384) { self.logLimit = logLimit }

    /// An object's change, or its going, is part of a group's revision.
    mutating func published(_ service: ObjectKey, in position: Position) {
        revisions[service, default: [:]][position.group] = position.revision
        services[position.group, default: []].insert(service)
        log[position.group, default: []].append(Entry(revision: position.revision, service: service))
        if let count = log[position.group]?.count, count > logLimit { log[position.group]?.removeFirst() }
        touched.insert(service)
    }

    /// A stream told how far it is; `owners` are the objects of what it rejects, or no longer rejects.
    mutating func told(_ stream: StreamID, _ new: StreamProgress, owners: Set<ObjectKey>) {
        let old = progress.updateValue(new, forKey: stream)
        touched.formUnion(owners)
        guard let reached = new.acknowledged, old?.acknowledged != reached else { return }
        let known = old?.acknowledged.flatMap { $0.group == reached.group ? $0.revision : nil }
        touch(reached.group, after: known ?? .initial, upTo: reached.revision)
    }

    /// A stream has ended, or follows another group.
    mutating func forget(_ stream: StreamID) { progress[stream] = nil }

    /// A group is gone.
    mutating func forget(_ group: GroupID) {
        log[group] = nil
        for service in services.removeValue(forKey: group) ?? [] {
            revisions[service]?[group] = nil
            if revisions[service]?.isEmpty == true { revisions[service] = nil }
        }
    }

    /// An object is gone from every group, and everyone knows.
    mutating func forget(_ service: ObjectKey) {
        for group in revisions.removeValue(forKey: service)?.keys ?? [:].keys {
            services[group]?.remove(service)
            if services[group]?.isEmpty == true { services[group] = nil }
        }
    }

    /// The groups whose snapshots an object has changed.
    func groups(of service: ObjectKey) -> Set<GroupID> { Set((revisions[service] ?? [:]).keys) }

    /// What a stream told last.
    func progress(of stream: StreamID) -> StreamProgress? { progress[stream] }

    /// The revision at which a group got the latest change of an object; the first one where it has got none.
    func revision(of service: ObjectKey, in group: GroupID) -> Revision { revisions[service]?[group] ?? .initial }

    /// The objects whose account may have changed since the last call.
    mutating func takeTouched() -> Set<ObjectKey> {
        defer { touched = [] }
        return touched
    }

    private mutating func touch(_ group: GroupID, after: Revision, upTo: Revision) {
        guard let entries = log[group] else { return }
        var low = entries.startIndex
        var high = entries.endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].revision <= after { low = middle + 1 } else { high = middle }
        }
        while low < entries.endIndex, entries[low].revision <= upTo {
            touched.insert(entries[low].service)
            low += 1
        }
    }
}
