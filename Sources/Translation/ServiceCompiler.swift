public import Domain
public import Resolution
public import XDS

/// Compiles resolved VirtualServices to fragments, and keeps what it takes to compile again only what moved.
public struct ServiceCompiler {
    private struct Compiled {
        /// With the hosts as they are now: Envoys that connect in another way need them all.
        var resolved: ResolvedService
        var units: [ListenerUnit?]

        var fragment: Fragment {
            Fragment(
                service: resolved.service.metadata.key, creationSeconds: resolved.service.metadata.creationSeconds,
                selector: resolved.selector, units: units.compactMap(\.self))
        }
    }

    private let translator: Translator
    private let connection: ConnectionVariant
    private var services: [ObjectKey: Compiled] = [:]

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

    /// The objects that are known, with the hosts as they are now: one, or all.
    public func resolved(_ service: ObjectKey? = nil) -> [ResolvedService] {
        guard let service else { return services.values.map(\.resolved) }
        return services[service].map { [$0.resolved] } ?? []
    }

    /// How many objects are known.
    public var count: Int { services.count }

    /// Compiles an object that is new or changed.
    public mutating func compile(_ resolved: ResolvedService) -> Fragment {
        let units = zip(resolved.service.listeners, resolved.endpoints).map { unit($0, $1) }
        let compiled = Compiled(resolved: resolved, units: units)
        services[resolved.service.metadata.key] = compiled
        return compiled.fragment
    }

    /// Compiles what depends on the hosts of some listeners' clusters, given by the listener's place; nil for an object that is not
    /// known.
    public mutating func compile(_ service: ObjectKey, endpoints: [Int: [ResolvedEndpoint]]) -> Fragment? {
        guard var compiled = services.removeValue(forKey: service) else { return nil }
        for (place, hosts) in endpoints where compiled.units.indices.contains(place) {
            guard let before = compiled.units[place], let cluster = compiled.resolved.service.listeners[place].cluster else {
                continue
            }
            let followsEndpoints = Translator.clusterFollowsEndpoints(cluster, connection: connection)
            compiled.units[place] = ListenerUnit(
                transport: before.transport, port: before.port, listener: before.listener,
                cluster: followsEndpoints
                    ? translator.cluster(cluster, endpoints: hosts, connection: connection) : before.cluster,
                assignment: translator.assignment(cluster, endpoints: hosts, connection: connection))
            compiled.resolved.endpoints[place] = hosts
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
            cluster: translator.cluster(cluster, endpoints: endpoints, connection: connection),
            assignment: translator.assignment(cluster, endpoints: endpoints, connection: connection))
    }
}
