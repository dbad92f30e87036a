import Domain
import Rendering
import Resolution
import Translation
import XDS

/// The way from objects to snapshots, change by change, as the running server goes it.
struct LiveTranslation {
    private var index = EndpointIndex()
    private var compiler = ServiceCompiler()
    private var fanOut = FanOut()
    private var services: [ObjectKey: VirtualService] = [:]
    private var pods: [ObjectKey: Pod] = [:]

    mutating func apply(_ service: VirtualService) {
        services[service.metadata.key] = service
        index.apply(service)
        publish()
    }

    mutating func apply(_ pod: Pod) {
        // Whose uid is another pod's name has that one's Envoy: the API server makes no such uids.
        guard !pod.metadata.uid.contains("/") else { return }
        if pods.updateValue(pod, forKey: pod.key) == nil { index.watch(nodeID: pod.key.description) }
        index.apply(pod)
        publish()
    }

    mutating func remove(service key: ObjectKey) {
        services[key] = nil
        index.remove(service: key)
        publish()
    }

    mutating func remove(pod key: ObjectKey) {
        if pods.removeValue(forKey: key) != nil { index.unwatch(nodeID: key.description) }
        index.remove(pod: key)
        publish()
    }

    private mutating func publish() {
        let changes = index.takeChanges()
        for service in changes.services { fanOut.setFragment(compiler.compile(service)) }
        for key in changes.removedServices {
            compiler.remove(key)
            fanOut.removeFragment(key)
        }
        for (service, places) in Dictionary(grouping: changes.endpoints, by: \.service) {
            let endpoints = Dictionary(places.map { ($0.listener, $0.endpoints) }, uniquingKeysWith: { _, last in last })
            if let fragment = compiler.compile(service, endpoints: endpoints) { fanOut.setFragment(fragment) }
        }
        for node in changes.nodes { fanOut.setNode(NodeChange(key: node.key, uid: node.uid, selectors: node.selectors)) }
        _ = fanOut.commit(synced: true)
    }

    /// Compares what each Envoy gets with what it would get if nothing had ever been different.
    func check() {
        let fresh = Preview(virtualServices: Array(services.values), pods: Array(pods.values))
        for pod in pods.keys {
            let group = fanOut.group(ofNodeID: pod.description)
            for type in ResourceType.allCases {
                let resources = group.map { fanOut.store.resources(type, in: $0) }
                expect(resources == fresh.resources(type, nodeID: pod.description), "what an Envoy gets depends on the past")
                for resource in resources ?? [] { expect(isReadable(resource), "a resource can't be read") }
            }
        }
        expect(compiler.count == services.count, "objects are forgotten, or remembered")
        for variant in ConnectionVariant.allCases {
            for unit in compiler.forked(for: variant).fragments.flatMap(\.units) {
                let resources = [unit.listener, unit.cluster] + [unit.assignment].compactMap(\.self)
                for resource in resources { expect(isReadable(resource), "a resource can't be read") }
            }
        }
    }

    private func isReadable(_ resource: EncodedResource) -> Bool { (try? ResourceRendering.json(resource)) != nil }
}
