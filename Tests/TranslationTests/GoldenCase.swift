import Domain
import Foundation
import Rendering
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
        var manifests = try GoldenManifests(reading: directory.appending(path: "in.yaml"))
        if reversingPods { manifests.pods.reverse() }
        let translator = Translator()
        var result = GoldenResources()
        for service in manifests.services {
            result.diagnostics += Translator.diagnostics(for: service).map { "\(service.metadata.key): \($0)" }
            for listener in service.listeners {
                if let resource = translator.listener(listener) { result.listeners.append(resource) }
                guard let cluster = listener.cluster else { continue }
                let endpoints = manifests.endpoints(of: cluster, namespace: service.metadata.key.namespace)
                result.clusters.append(translator.cluster(cluster, endpoints: endpoints))
                if let resource = translator.assignment(cluster, endpoints: endpoints) { result.endpoints.append(resource) }
            }
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
