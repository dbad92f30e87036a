import Domain
import Kubernetes

/// Lets only the objects of some namespaces pass.
struct NamespaceFilter<Object: KeyedObject>: WatchEventReceiver {
    /// The namespaces; empty lets all pass.
    let namespaces: Set<String>
    let receiver: any WatchEventReceiver<Object>

    func receive(_ event: WatchEvent<Object>) async {
        switch event {
        case .applied(let object) where !passes(object.key): return
        case .deleted(let key) where !passes(key): return
        default: await receiver.receive(event)
        }
    }

    private func passes(_ key: ObjectKey) -> Bool { namespaces.isEmpty || namespaces.contains(key.namespace) }
}
