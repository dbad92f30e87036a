import Foundation
import Manifests
import Rendering
import Resolution
import Testing
import Translation
import XDS

/// A directory below `Golden`: manifests in `in.yaml`, and beside it all that becomes of them.
struct GoldenCase: CustomTestStringConvertible {
    /// The place of all cases.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    /// Every directory that holds an `in.yaml`, by name.
    static let all: [GoldenCase] = {
        let directories = (try? FileManager.default.contentsOfDirectory(atPath: root.path())) ?? []
        return directories.sorted().map { GoldenCase(directory: root.appending(path: $0)) }
    }()

    var directory: URL
    var name: String { directory.lastPathComponent }
    var testDescription: String { name }

    /// What the manifests become: for each object in order, for each listener in order.
    func resources(reversingPods: Bool = false) throws -> GoldenResources {
        let manifest = directory.appending(path: "in.yaml")
        let report = ManifestReader().read(paths: [manifest.path()])
        try #require(!report.hasErrors, "\(report.diagnostics)")
        var index = EndpointIndex()
        for pod in reversingPods ? report.pods.reversed() : report.pods { index.apply(pod) }
        for service in report.virtualServices { index.apply(service) }
        var compiler = ServiceCompiler()
        var result = GoldenResources()
        result.diagnostics = report.diagnostics.map { "\($0)".replacing(manifest.path(), with: "in.yaml") }
        for unit in index.takeChanges().services.flatMap({ compiler.compile($0).units }) {
            result.listeners.append(unit.listener)
            result.clusters.append(unit.cluster)
            if let assignment = unit.assignment { result.endpoints.append(assignment) }
        }
        return result
    }
}

struct GoldenResources {
    var listeners: [EncodedResource] = []
    var clusters: [EncodedResource] = []
    var endpoints: [EncodedResource] = []
    var diagnostics: [String] = []

    /// The files of the case, by name.
    func files() throws -> [String: String] {
        try [
            "listeners.yaml": ResourceRendering.yaml(listeners),
            "clusters.yaml": ResourceRendering.yaml(clusters),
            "endpoints.yaml": ResourceRendering.yaml(endpoints),
            "diagnostics.txt": diagnostics.map { "\($0)\n" }.joined(),
            "digests.txt": (listeners + clusters + endpoints).map { "\($0.version) \($0.type) \($0.name)\n" }.joined(),
        ]
    }
}
