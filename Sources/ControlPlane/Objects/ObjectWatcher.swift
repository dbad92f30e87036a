public import Domain
public import Kubernetes

/// Owns the objects of one kind, as their source tells them, and what has changed since the resolver last looked.
public actor ObjectWatcher<Object: KeyedObject>: WatchEventReceiver {
    private var store = ObjectStore<Object>()
    /// When the oldest event came that has not been taken.
    private var since: ContinuousClock.Instant?
    private let bell: Bell

    /// Makes a watcher that knows nothing.
    /// - Parameter bell: rung when there are changes to take.
    public init(bell: Bell) { self.bell = bell }

    /// Takes one event of the source.
    public func receive(_ event: WatchEvent<Object>) {
        store.apply(event)
        since = since ?? .now
        if store.hasSynced { bell.ring() }
    }

    /// Whether the source has said everything that exists, at least once.
    public var hasSynced: Bool { store.hasSynced }

    /// What changed since the last call, coalesced by object; whether the source has said everything that exists; when the first change came.
    func takeChanges() -> (changes: [ObjectChange<Object>], hasSynced: Bool, since: ContinuousClock.Instant?) {
        defer { since = nil }
        return (store.takeChanges(), store.hasSynced, since)
    }
}

/// Owns the VirtualServices.
public typealias VirtualServiceWatcher = ObjectWatcher<VirtualService>

/// Owns the pods.
public typealias PodWatcher = ObjectWatcher<Pod>
