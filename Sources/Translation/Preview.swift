public import Domain
import Resolution
public import XDS

/// What an Envoy gets of a given set of objects and pods, by the same way as in the running server.
public struct Preview {
    private let fanOut: FanOut

    /// Resolves and compiles everything once.
    public init(
        virtualServices: [VirtualService], pods: [Pod], crossesNamespaces: Bool = false, translator: Translator = Translator()
    ) {
        var index = EndpointIndex(crossesNamespaces: crossesNamespaces)
        var compiler = ServiceCompiler(translator: translator)
        var fanOut = FanOut()
        for pod in pods {
            index.apply(pod)
            index.watch(nodeID: pod.key.description)
        }
        for service in virtualServices { index.apply(service) }
        let changes = index.takeChanges()
        for service in changes.services { fanOut.setFragment(compiler.compile(service)) }
        for node in changes.nodes { fanOut.setNode(NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)) }
        _ = fanOut.commit(synced: true)
        self.fanOut = fanOut
    }

    /// The resources of `type` that the Envoy gets which calls itself `nodeID`, by name; nil when no pod has that id.
    public func resources(_ type: ResourceType, nodeID: String) -> [EncodedResource]? {
        fanOut.group(ofNodeID: nodeID).map { fanOut.store.resources(type, in: $0) }
    }

    /// The listeners of an object that are withheld because an older one has a name or port that they claim.
    public func conflicts(of service: ObjectKey) -> [Conflict] {
        fanOut.store.conflicts(of: service).filter { $0.loser.service == service }.sorted { "\($0)" < "\($1)" }
    }
}
