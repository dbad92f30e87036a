import Domain
import Foundation
import Resolution
import Yams

/// The objects of a case: the seam between the golden cases and whatever reads manifests and resolves selectors.
struct GoldenManifests {
    var services: [VirtualService] = []
    var pods: [Pod] = []

    init(reading file: URL) throws {
        for document in try Yams.load_all(yaml: String(contentsOf: file, encoding: .utf8)) {
            let object = try Object(document)
            switch try object.string("kind") {
            case "VirtualService": services.append(try object.virtualService())
            case "Pod": pods.append(try object.pod())
            case let kind: throw Malformed(text: "unknown kind \(kind)")
            }
        }
    }

    /// All hosts of `cluster` for an object of `namespace`.
    func endpoints(of cluster: ClusterIntent, namespace: String) -> [ResolvedEndpoint] {
        cluster.endpoints.flatMap { endpoint -> [ResolvedEndpoint] in
            func resolved(_ host: ResolvedEndpoint.Host, _ health: ResolvedEndpoint.Health) -> ResolvedEndpoint {
                .init(host: host, port: endpoint.port, healthCheckPort: endpoint.healthCheckPort, health: health)
            }
            switch endpoint.host {
            case .address(let address): return [resolved(.address(address), .healthy)]
            case .name(let name): return [resolved(.name(name), .healthy)]
            case .selector(let selector):
                return pods.compactMap { pod in
                    guard pod.key.namespace == namespace, selector.matches(pod.labels), let address = pod.addresses.first,
                        pod.phase != .succeeded, pod.phase != .failed
                    else { return nil }
                    let health: ResolvedEndpoint.Health =
                        !pod.isReady ? .unhealthy : pod.metadata.isTerminating ? .degraded : .healthy
                    return resolved(.address(address), health)
                }
            }
        }
    }
}

struct Malformed: Error {
    var text: String
}

/// One mapping of a manifest.
private struct Object {
    var fields: [String: Any]

    init(_ value: Any?) throws {
        guard let fields = value as? [String: Any] else { throw Malformed(text: "not a mapping: \(value ?? "nothing")") }
        self.fields = fields
    }

    func object(_ name: String) throws -> Object { try Object(fields[name]) }

    func objects(_ name: String) throws -> [Object] { try (fields[name] as? [Any] ?? []).map(Object.init) }

    func labels(_ name: String) -> [String: String] { fields[name] as? [String: String] ?? [:] }

    func string(_ name: String) throws -> String { try required(fields[name] as? String, name) }

    func port(_ name: String) throws -> PortNumber { try required((fields[name] as? Int).flatMap { PortNumber($0) }, name) }

    func milliseconds(_ name: String) -> Duration? { (fields[name] as? Int).map { .milliseconds($0) } }

    private func required<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else { throw Malformed(text: "\(name) is missing or invalid in \(fields)") }
        return value
    }

    func metadata() throws -> ObjectMetadata {
        let metadata = try object("metadata")
        return try ObjectMetadata(
            key: ObjectKey(namespace: metadata.string("namespace"), name: metadata.string("name")),
            isTerminating: metadata.fields["deletionTimestamp"] != nil)
    }

    func pod() throws -> Pod {
        let status = try object("status")
        return try Pod(
            metadata: metadata(), labels: object("metadata").labels("labels"),
            addresses: status.objects("podIPs").compactMap { try IPAddress($0.string("ip")) },
            phase: required(Pod.Phase(rawValue: status.string("phase")), "phase"),
            isReady: status.objects("conditions").contains { try $0.string("type") == "Ready" && $0.string("status") == "True" })
    }

    func virtualService() throws -> VirtualService {
        let spec = try object("spec")
        return try VirtualService(
            metadata: metadata(), selector: required(LabelSelector(labels: spec.labels("selector")), "selector"),
            listeners: spec.objects("listeners").map { try $0.listener() })
    }

    private func listener() throws -> ListenerIntent {
        let transport: TransportProtocol = fields["udp"] == nil ? .tcp : .udp
        let socket = try object(transport.rawValue)
        return try ListenerIntent(
            name: string("name"), transport: transport, port: socket.port("port"),
            cluster: socket.fields["cluster"].map { try Object($0).cluster() },
            idleTimeout: socket.milliseconds("idle_timeout"),
            maximumDatagramSize: (socket.fields["max_datagram_size"] as? Int).map { UInt64($0) })
    }

    private func cluster() throws -> ClusterIntent {
        try ClusterIntent(
            name: string("name"),
            serviceDiscovery: required(ServiceDiscovery(rawValue: string("service_discovery")), "service_discovery"),
            healthCheck: fields["health_check"].flatMap { try Object($0).milliseconds("interval") }
                .map(HealthCheckIntent.init(interval:)),
            hashKey: fields["hash_key"] as? String, endpoints: objects("endpoints").map { try $0.endpoint() })
    }

    private func endpoint() throws -> EndpointIntent {
        let host = try object("host")
        let place: EndpointIntent.Host =
            if let selector = LabelSelector(labels: host.labels("selector")) {
                .selector(selector)
            } else if let address = try IPAddress(host.string("address")) {
                .address(address)
            } else {
                .name(try required(DNSName(host.string("address")), "address"))
            }
        return try EndpointIntent(
            name: string("name"), host: place, port: port("port"),
            healthCheckPort: fields["health_check_port"] == nil ? nil : port("health_check_port"))
    }
}
