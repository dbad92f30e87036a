/// What happened to an object.
enum ChangeKind: String, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
}

/// One entry of the history that watches read.
struct Change: Sendable {
    var kind: ChangeKind
    /// The state after the change; of a deletion the last state, with the revision of the deletion.
    var object: StoredObject
    /// The state before; nil for an addition.
    var previous: StoredObject?

    var revision: UInt64 { object.revision }
}

/// All objects of one resource and their recent history.
struct ObjectTable: Sendable {
    private(set) var objects: [String: StoredObject] = [:]
    private(set) var history: [Change] = []
    /// History up to here is gone: a watch from an older revision gets 410.
    private(set) var compacted: UInt64
    private var sortedKeys: [String]? = []
    private let historyLimit = 100_000

    init(compacted: UInt64) { self.compacted = compacted }

    /// The keys in the order of a list.
    mutating func keys() -> [String] {
        if let sortedKeys { return sortedKeys }
        let sorted = objects.keys.sorted()
        sortedKeys = sorted
        return sorted
    }

    mutating func apply(_ change: Change) {
        let key = change.object.key
        if change.kind == .deleted {
            objects[key] = nil
            sortedKeys = nil
        } else if objects.updateValue(change.object, forKey: key) == nil {
            if let last = sortedKeys?.last, last > key { sortedKeys = nil } else { sortedKeys?.append(key) }
        }
        history.append(change)
        if history.count > historyLimit { compact(to: history[historyLimit / 4].revision) }
    }

    mutating func compact(to revision: UInt64) {
        compacted = max(compacted, revision)
        history.removeSubrange(..<index(after: revision))
    }

    /// The changes after `revision`.
    func changes(after revision: UInt64) -> ArraySlice<Change> { history[index(after: revision)...] }

    /// The objects by key as they were at `revision`, which must not be compacted.
    func objects(at revision: UInt64) -> [String: StoredObject] {
        var past = objects
        for change in changes(after: revision).reversed() { past[change.object.key] = change.previous }
        return past
    }

    private func index(after revision: UInt64) -> Int {
        var low = 0
        var high = history.count
        while low < high {
            let middle = (low + high) / 2
            if history[middle].revision > revision { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// All objects, under one revision counter, as in etcd.
struct ObjectStore: Sendable {
    private(set) var revision: UInt64 = 1
    private var tables: [String: ObjectTable] = [:]

    subscript(type: ResourceType) -> ObjectTable {
        get { tables[type.storageKey] ?? ObjectTable(compacted: 0) }
        _modify { yield &tables[type.storageKey, default: ObjectTable(compacted: 0)] }
    }

    func object(_ type: ResourceType, namespace: String, name: String) -> StoredObject? {
        tables[type.storageKey]?.objects[StoredObject.key(namespace: namespace, name: name)]
    }

    /// Stores a new state of an object and returns it.
    @discardableResult
    mutating func put(_ object: JSONValue, as type: ResourceType) -> StoredObject {
        revision += 1
        let stored = StoredObject(object, revision: revision, selectable: Self.selectableFields(of: type))
        let previous = tables[type.storageKey]?.objects[stored.key]
        self[type].apply(Change(kind: previous == nil ? .added : .modified, object: stored, previous: previous))
        return stored
    }

    /// Removes an object; returns its last state, with the revision of the deletion.
    @discardableResult
    mutating func remove(_ previous: StoredObject, as type: ResourceType) -> StoredObject {
        revision += 1
        var storage = type
        storage.conversion = .apiVersionOnly
        let last = StoredObject(
            previous.value(as: storage), revision: revision, selectable: Self.selectableFields(of: type))
        self[type].apply(Change(kind: .deleted, object: last, previous: previous))
        return last
    }

    /// Forgets the history, so that watches and continue tokens from the past get 410.
    mutating func compact() {
        for key in tables.keys { tables[key]?.compact(to: revision) }
        compactedEverything = revision
    }

    /// Raises the revision without a change, as other clients' writes would.
    mutating func advance(by count: UInt64) { revision &+= count }

    /// Forgets a resource that is no longer served.
    mutating func drop(_ type: ResourceType) { tables[type.storageKey] = nil }

    /// History of every resource up to here is gone.
    private(set) var compactedEverything: UInt64 = 0

    static func selectableFields(of type: ResourceType) -> [String] {
        switch type.storageKey {
        case "pods":
            [
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
                "status.podIP",
            ]
        case "namespaces": ["status.phase"]
        case "events":
            [
                "involvedObject.apiVersion", "involvedObject.kind", "involvedObject.name", "involvedObject.namespace",
                "involvedObject.uid", "reason", "reportingComponent", "type",
            ]
        default: []
        }
    }
}
