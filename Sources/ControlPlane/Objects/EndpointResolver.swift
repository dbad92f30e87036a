import Domain
import Kubernetes
import Resolution
public import ServiceLifecycle

/// Owns the matching of selectors and pods: takes the watchers' changes, and hands the snapshot cache what they mean.
public actor EndpointResolver: Service {
    private var index: EndpointIndex
    private var hasSynced = false
    private let virtualServices: VirtualServiceWatcher
    private let pods: PodWatcher
    private let changed: Bell
    private let resolved: Bell

    /// Makes a resolver.
    /// - Parameters:
    ///   - changed: rung by the watchers.
    ///   - resolved: rung when there is something for the snapshot cache.
    public init(
        virtualServices: VirtualServiceWatcher, pods: PodWatcher, crossesNamespaces: Bool, changed: Bell, resolved: Bell
    ) {
        index = EndpointIndex(crossesNamespaces: crossesNamespaces)
        self.virtualServices = virtualServices
        self.pods = pods
        self.changed = changed
        self.resolved = resolved
    }

    /// Follows the watchers until cancelled or shut down.
    public func run() async {
        for await _ in changed.rings.cancelOnGracefulShutdown() {
            let services = await virtualServices.takeChanges()
            let pods = await pods.takeChanges()
            for change in services.changes {
                if let service = change.new { index.apply(service) } else { index.remove(service: change.key) }
            }
            for change in pods.changes {
                if let pod = change.new { index.apply(pod) } else { index.remove(pod: change.key) }
            }
            if services.hasSynced && pods.hasSynced { hasSynced = true }
            resolved.ring()
        }
    }

    /// Envoys that have connected, by the id they give: their pods are told of even if nothing selects them.
    func watch(_ nodeIDs: [String]) {
        for id in nodeIDs { index.watch(nodeID: id) }
        resolved.ring()
    }

    /// Ends one `watch` of each.
    func unwatch(_ nodeIDs: [String]) {
        for id in nodeIDs { index.unwatch(nodeID: id) }
        resolved.ring()
    }

    /// All that is new since the last call, and whether both watches have said everything that exists.
    func takeChanges() -> (changes: ResolutionChanges, hasSynced: Bool) {
        hasSynced ? (index.takeChanges(), true) : (ResolutionChanges(), false)
    }
}
