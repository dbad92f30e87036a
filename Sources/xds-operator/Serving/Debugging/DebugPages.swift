import ControlPlane
import Domain
import Foundation
import Logging
import Observability
import Rendering
import XDS

/// What people look at when something is wrong. Nothing here is secret from who reads VirtualServices and pods, but all of it is from others.
struct DebugPages: Sendable {
    /// Streams or objects on a page, unless one is asked for.
    private static let limit = 1000

    let discovery: DiscoveryService
    let cache: SnapshotCache
    let level: LogLevel
    let figures: MetricsSources

    private static let index = """
        GET /debug/syncz[?node=ID]                 each Envoy's stream: what it was sent and acknowledged, what it rejected (JSON)
        GET /debug/config_dump?node=ID             all that an Envoy gets with ADS, as Envoy writes it (JSON)
        GET /debug/graph[?object=NAMESPACE/NAME]   objects, Envoys, clusters and hosts (DOT)
        GET /debug/memory                          how much there is of what, and what it takes (JSON)
        GET /debug/log                             the log level; PUT /debug/log?level=debug changes it

        """

    /// The pages by method and path.
    var routes: [String: @Sendable (HTTPEndpoint.Question) async -> HTTPEndpoint.Answer] {
        [
            "GET /debug": { _ in .init(status: 200, body: Self.index) },
            "GET /debug/syncz": { await streams($0.parameters["node"]) },
            "GET /debug/config_dump": { await configuration($0.parameters["node"]) },
            "GET /debug/graph": { await graph($0.parameters["object"]) },
            "GET /debug/memory": { _ in await memory() },
            "GET /debug/log": { _ in .init(status: 200, body: "\(level.current)\n") },
            "PUT /debug/log": { setLevel($0.parameters["level"]) },
        ]
    }

    private func streams(_ node: String?) async -> HTTPEndpoint.Answer {
        struct Page: Encodable {
            let count: Int
            let streams: [StreamSummary]
        }
        let found = await discovery.streams(of: node, limit: Self.limit)
        return Self.json(Page(count: found.count, streams: found.streams))
    }

    private func configuration(_ node: String?) async -> HTTPEndpoint.Answer {
        guard let node, !node.isEmpty else {
            return .init(status: 400, body: "say which Envoy: ?node=UID or ?node=NAMESPACE/NAME\n")
        }
        guard let resources = await cache.resources(ofNode: node) else {
            return .init(status: 404, body: "no pod that is known and concerned has the uid or the namespace/name \(node)\n")
        }
        do {
            return .init(status: 200, contentType: "application/json", body: try ResourceRendering.json(resources))
        } catch {
            return .init(status: 503, body: "can't be written as JSON: \(error)\n")
        }
    }

    private func graph(_ object: String?) async -> HTTPEndpoint.Answer {
        var key: ObjectKey?
        if let object {
            let parts = object.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { return .init(status: 400, body: "say which object: ?object=NAMESPACE/NAME\n") }
            key = ObjectKey(namespace: parts[0], name: parts[1])
        }
        let graph = await cache.graph(of: key, limit: Self.limit)
        return .init(status: 200, contentType: "text/vnd.graphviz; charset=utf-8", body: graph.dot)
    }

    private func memory() async -> HTTPEndpoint.Answer {
        struct Page: Encodable {
            struct Resources: Encodable {
                let type: String
                let count: Int
                let bytes: Int
            }

            let residentBytes, virtualBytes, threads, descriptors: Int
            let virtualServices, nodes, nodeGroups, streams: Int
            let snapshots: [Resources]
        }
        let process = ProcessFigures()
        let counts = await cache.counts
        return Self.json(
            Page(
                residentBytes: process.residentBytes, virtualBytes: process.virtualBytes, threads: process.threadCount,
                descriptors: process.openDescriptors, virtualServices: counts.virtualServices, nodes: counts.nodes,
                nodeGroups: counts.groups, streams: figures.streams.openStreams,
                snapshots: counts.resources.map { .init(type: "\($0.type)", count: $0.count, bytes: $0.byteCount) }))
    }

    private func setLevel(_ name: String?) -> HTTPEndpoint.Answer {
        guard let name, let new = Logger.Level(rawValue: name) else {
            let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            return .init(status: 400, body: "say which level: ?level= one of \(all)\n")
        }
        level.current = new
        return .init(status: 200, body: "\(new)\n")
    }

    private static func json(_ page: some Encodable) -> HTTPEndpoint.Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(page) else { return .init(status: 503, body: "can't be written as JSON\n") }
        return .init(status: 200, contentType: "application/json", body: String(decoding: data, as: UTF8.self) + "\n")
    }
}
