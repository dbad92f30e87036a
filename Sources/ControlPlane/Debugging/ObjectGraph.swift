public import Domain
import Resolution
import Translation
public import XDS

/// Objects, the pods whose Envoys they configure, their clusters, and the hosts of these.
public struct ObjectGraph: Sendable {
    struct Cluster: Sendable {
        let name: String
        let hosts: [(address: String, health: String)]
    }

    struct Object: Sendable {
        let key: ObjectKey
        let envoys: [ObjectKey]
        let clusters: [Cluster]
    }

    let objects: [Object]
    /// Objects that there are and the graph lacks.
    let omitted: Int

    /// The graph in the DOT language of Graphviz.
    public var dot: String {
        var lines = ["digraph objects {", "  rankdir=LR;", "  node [shape=box, fontname=\"sans-serif\"];"]
        if omitted > 0 {
            lines.append("  label=\(Self.quoted("\(omitted) more objects are left out: ask for one by ?object=namespace/name"));")
        }
        var drawn: Set<String> = []
        func draw(_ node: String, _ attributes: String) -> String {
            let quoted = Self.quoted(node)
            if drawn.insert(node).inserted { lines.append("  \(quoted) [\(attributes)];") }
            return quoted
        }
        for object in objects {
            let name = draw("VirtualService \(object.key)", "shape=ellipse")
            for envoy in object.envoys { lines.append("  \(draw("Envoy \(envoy)", "shape=component")) -> \(name) [dir=back];") }
            for cluster in object.clusters {
                let clusterName = draw("\(object.key) \(cluster.name)", "label=\(Self.quoted(cluster.name))")
                lines.append("  \(name) -> \(clusterName);")
                for host in cluster.hosts {
                    let style = host.health == "healthy" ? "solid" : "dashed"
                    let label = host.health == "healthy" ? "" : host.health
                    lines.append(
                        "  \(clusterName) -> \(draw(host.address, "shape=plain")) [style=\(style), label=\(Self.quoted(label))];")
                }
            }
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ") + "\""
    }
}

extension SnapshotCache {
    /// What is in force: one object, or the first `limit` of all.
    public func graph(of object: ObjectKey? = nil, limit: Int) -> ObjectGraph {
        let all = resolvedServices(of: object)
        let shown = all.sorted { $0.service.metadata.key < $1.service.metadata.key }.prefix(limit)
        let wanted = Set(shown.map(\.selector))
        var envoys: [ScopedSelector: [ObjectKey]] = [:]
        for node in knownNodes {
            for selector in node.selectors ?? [] where wanted.contains(selector) {
                envoys[selector, default: []].append(node.key)
            }
        }
        let objects = shown.map { resolved in
            ObjectGraph.Object(
                key: resolved.service.metadata.key, envoys: (envoys[resolved.selector] ?? []).sorted(),
                clusters: zip(resolved.service.listeners, resolved.endpoints).compactMap { listener, endpoints in
                    listener.cluster.map { cluster in
                        ObjectGraph.Cluster(
                            name: "\(cluster.name)", hosts: endpoints.map { (Self.address($0), "\($0.health)") })
                    }
                })
        }
        return ObjectGraph(objects: objects, omitted: all.count - objects.count)
    }

    private static func address(_ endpoint: ResolvedEndpoint) -> String {
        switch endpoint.host {
        case .address(let address): "\(address) port \(endpoint.port)"
        case .name(let name): "\(name) port \(endpoint.port)"
        }
    }

    /// All that the Envoy gets which calls itself `node`, with ADS; nil when no known pod has that id.
    public func resources(ofNode node: String) -> [EncodedResource]? {
        guard let fanOut = aggregated, let group = fanOut.group(ofNodeID: node) else { return nil }
        return ResourceType.allCases.flatMap { fanOut.store.resources($0, in: group) }
    }
}
