public import Domain

/// What became of one object between two looks at a store.
public struct ObjectChange<Object: KeyedObject>: Equatable, Sendable {
    /// Which object it is.
    public let key: ObjectKey
    /// The object at the earlier look; nil when it did not exist.
    public let old: Object?
    /// The object now; nil when it exists no more.
    public let new: Object?
}

/// The objects of one source, and what changed among them since somebody last looked.
///
/// During a relist what was known stays in force; the new list replaces it at `synced`, which is also when objects that
/// are gone are noticed. Events may repeat and objects may be said again unchanged: neither is a change.
public struct ObjectStore<Object: KeyedObject>: Sendable {
    /// The current objects.
    public private(set) var objects: [ObjectKey: Object] = [:]
    /// Whether a complete list has ever been there; until then there are no changes to take.
    public private(set) var hasSynced = false

    /// The list being told, from `restarted` to `synced`.
    private var relist: [ObjectKey: Object]?
    /// Of the keys touched since the last look, those that had an object then, and that object.
    private var before: [ObjectKey: Object] = [:]
    /// Those that had none: a first list has many, and a set of keys is a fraction of a table of objects.
    private var created: Set<ObjectKey> = []
    private var labels = LabelPool()

    /// Makes an empty store.
    public init() {}

    /// The object with `key`.
    public subscript(key: ObjectKey) -> Object? { objects[key] }

    /// Takes one event. The cost is constant, but for the `synced` that ends a relist: that is linear in the objects.
    public mutating func apply(_ event: WatchEvent<Object>) {
        switch event {
        case .restarted: relist = [:]
        case .applied(var object):
            object.share(&labels)
            if relist == nil { set(object, for: object.key) } else { relist?[object.key] = object }
        case .deleted(let key):
            if relist == nil { set(nil, for: key) } else { relist?[key] = nil }
        case .synced:
            if let list = relist { replace(with: list) }
            relist = nil
            hasSynced = true
        }
    }

    /// The changes since the last call, in order of keys, each key once; an object that changed and changed back is none.
    /// The cost is that of the changes.
    public mutating func takeChanges() -> [ObjectChange<Object>] {
        guard hasSynced, !before.isEmpty || !created.isEmpty else { return [] }
        let (former, fresh) = (before, created)
        before = [:]
        created = []
        return (Array(former.keys) + fresh).sorted().compactMap { key in
            let (old, new) = (former[key], objects[key])
            return old == new ? nil : ObjectChange(key: key, old: old, new: new)
        }
    }

    private mutating func replace(with list: [ObjectKey: Object]) {
        if objects.isEmpty, before.isEmpty, created.isEmpty {
            // The first list: taken over as it is, not copied beside itself.
            objects = list
            created = Set(list.keys)
            return
        }
        let vanished = objects.keys.filter { list[$0] == nil }
        for key in vanished { set(nil, for: key) }
        for (key, object) in list { set(object, for: key) }
    }

    private mutating func set(_ object: Object?, for key: ObjectKey) {
        let old = objects[key]
        guard old != object else { return }
        if before[key] == nil, !created.contains(key) {
            if let old { before[key] = old } else { created.insert(key) }
        }
        objects[key] = object
    }
}
