public import Domain
public import Resolution
public import XDS

/// Compiles resolved VirtualServices to fragments, and keeps what it takes to compile again only what moved.
public struct ServiceCompiler {
    private let translator: Translator
    private let connection: ConnectionVariant
    private var services: [ObjectKey: (resolved: ResolvedService, units: [ListenerUnit?])] = [:]

    /// Makes a compiler that knows no object.
    /// - Parameter connection: how the Envoys that get the fragments are connected.
    public init(translator: Translator = Translator(), connection: ConnectionVariant = .aggregated) {
        self.translator = translator
        self.connection = connection
    }

    /// A compiler for Envoys that are connected in another way, and the fragments of every object that is known.
    public func forked(for connection: ConnectionVariant) -> (compiler: ServiceCompiler, fragments: [Fragment]) {
        var compiler = ServiceCompiler(translator: translator, connection: connection)
        let fragments = services.values.map { compiler.compile($0.resolved) }
        return (compiler, fragments)
    }

    /// How many objects are known.
    public var count: Int { services.count }

    /// Compiles an object that is new or changed.
    public mutating func compile(_ resolved: ResolvedService) -> Fragment {
        let units = zip(resolved.service.listeners, resolved.endpoints).map { unit($0, $1) }
        services[resolved.service.metadata.key] = (resolved, units)
        return fragment(resolved, units)
    }

    /// Compiles what depends on the hosts of one listener's cluster; nil for a listener that is not known or not served.
    public mutating func compile(_ service: ObjectKey, listener: Int, endpoints: [ResolvedEndpoint]) -> Fragment? {
        guard var known = services[service], known.units.indices.contains(listener), let before = known.units[listener],
            let cluster = known.resolved.service.listeners[listener].cluster
        else { return nil }
        services[service] = nil
        let followsEndpoints = Translator.clusterFollowsEndpoints(cluster, connection: connection)
        known.units[listener] = ListenerUnit(
            transport: before.transport, port: before.port, listener: before.listener,
            cluster: followsEndpoints
                ? translator.cluster(cluster, endpoints: endpoints, connection: connection) : before.cluster,
            assignment: translator.assignment(cluster, endpoints: endpoints, connection: connection))
        known.resolved.endpoints[listener] = endpoints
        services[service] = known
        return fragment(known.resolved, known.units)
    }

    /// Forgets an object.
    public mutating func remove(_ service: ObjectKey) { services[service] = nil }

    private func unit(_ listener: ListenerIntent, _ endpoints: [ResolvedEndpoint]) -> ListenerUnit? {
        guard let cluster = listener.cluster, let resource = translator.listener(listener) else { return nil }
        return ListenerUnit(
            transport: listener.transport, port: listener.port, listener: resource,
            cluster: translator.cluster(cluster, endpoints: endpoints, connection: connection),
            assignment: translator.assignment(cluster, endpoints: endpoints, connection: connection))
    }

    private func fragment(_ resolved: ResolvedService, _ units: [ListenerUnit?]) -> Fragment {
        Fragment(
            service: resolved.service.metadata.key, creationSeconds: resolved.service.metadata.creationSeconds,
            selector: resolved.selector, units: units.compactMap(\.self))
    }
}
