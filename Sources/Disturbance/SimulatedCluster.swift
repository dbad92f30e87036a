import Foundation
import KubeAPISimulator
import Synchronization
import TestKit

/// The objects of a stage in an API server.
final class SimulatedCluster: ObjectStore {
    /// Where the custom resource definition is, from the root of the package on.
    static let definition = "/helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml"

    private struct Key {
        var kind: String
        var name: String
        var namespace: String
    }

    let api: KubeAPISimulator
    private let directory: TemporaryDirectory
    private let keys = Mutex<[String: Key]>([:])

    var operatorOptions: [String] { ["--kubeconfig", directory.path(of: "kubeconfig")] }

    /// Starts the server with the definition in the file `definition`.
    init(definition: String) throws {
        api = try KubeAPISimulator(definitions: JSONValue.documents(yaml: String(contentsOfFile: definition, encoding: .utf8)))
        directory = try TemporaryDirectory(named: "cluster")
        try api.kubeconfig().write(toFile: directory.path(of: "kubeconfig"), atomically: true, encoding: .utf8)
    }

    func write(_ name: String, _ text: String) throws {
        for object in try JSONValue.documents(yaml: text) {
            let key = Key(
                kind: object["kind"]?.text ?? "", name: object["metadata", "name"]?.text ?? "",
                namespace: object["metadata", "namespace"]?.text ?? "default")
            if api.get(key.kind, key.name, namespace: key.namespace) == nil {
                try api.create(object)
            } else {
                try api.patch(key.kind, key.name, namespace: key.namespace, object)
            }
            keys.withLock { $0[name] = key }
        }
    }

    func remove(_ name: String) throws {
        guard let key = keys.withLock({ $0.removeValue(forKey: name) }) else { return }
        try api.delete(key.kind, key.name, namespace: key.namespace, gracePeriodSeconds: 0)
    }
}
