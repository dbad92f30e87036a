public import Domain

/// What a source of objects says: the vocabulary of a watch.
///
/// A source begins with `restarted`, then says every object that exists by `applied`, then `synced`. From then on
/// `applied` and `deleted` are changes, until the next `restarted`, after which objects that are not said again by `synced` are
/// gone. So a consumer never sees a half-filled world, and a relist loses no deletion.
public enum WatchEvent<Object: Sendable>: Sendable {
    /// A complete list begins; what is known stays in force until `synced`.
    case restarted
    /// The object exists, in this form.
    case applied(Object)
    /// The object exists no more.
    case deleted(ObjectKey)
    /// The list that `restarted` began is complete.
    case synced
}

/// Takes the events of one source, in order; back-pressure is the `await`.
public protocol WatchEventReceiver<Object>: Sendable {
    /// The kind of object.
    associatedtype Object: Sendable
    /// Takes one event.
    func receive(_ event: WatchEvent<Object>) async
}

/// An object with the key under which it is stored.
public protocol KeyedObject: Sendable, Equatable {
    /// Namespace and name.
    var key: ObjectKey { get }

    /// Gives parts that equal those of earlier objects the same storage.
    mutating func share(_ labels: inout LabelPool)
}

extension KeyedObject {
    /// By default nothing is shared.
    public mutating func share(_ labels: inout LabelPool) {}
}

extension Pod: KeyedObject {
    /// The pods of one workload carry the same labels.
    public mutating func share(_ pool: inout LabelPool) {
        let known = pool.shared(labels)
        // A new storage only for labels that are there already: the first pod keeps its own.
        if !known.isNew { labels = known.labels }
    }
}

extension VirtualService: KeyedObject {
    /// Namespace and name.
    public var key: ObjectKey { metadata.key }
}
