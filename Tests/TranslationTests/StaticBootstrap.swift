import Foundation
import Rendering
import XDS

/// Resources of several cases as the static resources of one bootstrap.
struct StaticBootstrap {
    private(set) var listeners: [[String: Any]] = []
    private(set) var clusters: [[String: Any]] = []

    /// Adds `resources` with all names prefixed and each listener on a port of its own, so that cases do not collide.
    mutating func add(_ resources: GoldenResources, prefix: String) throws {
        for resource in resources.listeners {
            var listener = try object(resource, prefix: prefix)
            if var address = listener["address"] as? [String: Any], var socket = address["socket_address"] as? [String: Any] {
                socket["port_value"] = 10_000 + listeners.count
                address["socket_address"] = socket
                listener["address"] = address
            }
            listeners.append(listener)
        }
        for resource in resources.clusters { clusters.append(try object(resource, prefix: prefix)) }
        // Assignments come by ADS only; here each becomes a cluster of its own.
        for resource in resources.endpoints {
            let assignment = try object(resource, prefix: prefix)
            clusters.append(["name": "\(prefix)/assignment/\(resource.name)", "type": "STATIC", "load_assignment": assignment])
        }
    }

    /// The bootstrap, with the ADS that EDS clusters refer to.
    func json() throws -> String {
        let server: [String: Any] = ["name": "server", "type": "STATIC"]
        let configuration: [String: Any] = [
            "dynamic_resources": [
                "ads_config": [
                    "api_type": "DELTA_GRPC", "transport_api_version": "V3",
                    "grpc_services": [["envoy_grpc": ["cluster_name": "server"]]],
                ]
            ],
            "static_resources": ["listeners": listeners, "clusters": [server] + clusters],
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: configuration), as: UTF8.self)
    }

    /// The resource as a JSON tree without its own `@type`, which static resources do not have.
    private func object(_ resource: EncodedResource, prefix: String) throws -> [String: Any] {
        let tree = try JSONSerialization.jsonObject(with: Data(ResourceRendering.json(resource).utf8))
        guard var fields = StaticBootstrap.prefixed(tree, with: prefix) as? [String: Any] else { return [:] }
        fields["@type"] = nil
        fields["name"] = (fields["name"] as? String).map { "\(prefix)/\($0)" }
        return fields
    }

    /// The tree with each reference to a cluster prefixed.
    private static func prefixed(_ value: Any, with prefix: String) -> Any {
        if let values = value as? [Any] { return values.map { prefixed($0, with: prefix) } }
        guard let fields = value as? [String: Any] else { return value }
        var result: [String: Any] = [:]
        for (key, value) in fields {
            if key == "cluster" || key == "cluster_name", let name = value as? String {
                result[key] = "\(prefix)/\(name)"
            } else {
                result[key] = prefixed(value, with: prefix)
            }
        }
        return result
    }
}
