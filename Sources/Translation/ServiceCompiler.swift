public import Domain
public import Resolution
public import XDS

/// Compiles resolved VirtualServices to fragments, and keeps what it takes to compile again only what moved.
public struct ServiceCompiler {
    private struct Compiled {
        let service: VirtualService
        let selector: ScopedSelector
        var units: [ListenerUnit?]

        var fragment: Fragment {
            Fragment(
                service: service.metadata.key, creationSeconds: service.metadata.creationSeconds, selector: selector,
                units: units.compactMap(\.self))
        }
    }

    private let translator: Translator
    private var services: [ObjectKey: Compiled] = [:]

    /// Makes a compiler that knows no object.
    public init(translator: Translator = Translator()) { self.translator = translator }

    /// How many objects are known.
    public var count: Int { services.count }

    /// Compiles an object that is new or changed.
    public mutating func compile(_ resolved: ResolvedService) -> Fragment {
        let units = zip(resolved.service.listeners, resolved.endpoints).map { unit($0, $1) }
        let compiled = Compiled(service: resolved.service, selector: resolved.selector, units: units)
        services[resolved.service.metadata.key] = compiled
        return compiled.fragment
    }

    /// Compiles what depends on the hosts of some listeners' clusters, given by the listener's place; nil for an object that is not
    /// known.
    public mutating func compile(_ service: ObjectKey, endpoints: [Int: [ResolvedEndpoint]]) -> Fragment? {
        guard var compiled = services.removeValue(forKey: service) else { return nil }
        for (place, hosts) in endpoints where compiled.units.indices.contains(place) {
            guard let before = compiled.units[place], let cluster = compiled.service.listeners[place].cluster else { continue }
            let followsEndpoints = Translator.clusterFollowsEndpoints(cluster)
            compiled.units[place] = ListenerUnit(
                transport: before.transport, port: before.port, listener: before.listener,
                cluster: followsEndpoints ? translator.cluster(cluster, endpoints: hosts) : before.cluster,
                assignment: translator.assignment(cluster, endpoints: hosts))
        }
        services[service] = compiled
        return compiled.fragment
    }

    /// Forgets an object.
    public mutating func remove(_ service: ObjectKey) { services[service] = nil }

    private func unit(_ listener: ListenerIntent, _ endpoints: [ResolvedEndpoint]) -> ListenerUnit? {
        guard let cluster = listener.cluster, let resource = translator.listener(listener) else { return nil }
        return ListenerUnit(
            transport: listener.transport, port: listener.port, listener: resource,
            cluster: translator.cluster(cluster, endpoints: endpoints),
            assignment: translator.assignment(cluster, endpoints: endpoints))
    }
}
