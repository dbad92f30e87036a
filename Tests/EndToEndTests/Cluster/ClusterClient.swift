import Foundation
import KubeAPISimulator
import TestKit

/// A request that an API server refused.
struct ClusterError: Error, CustomStringConvertible {
    var code: Int
    var description: String
}

/// The administrator's access to an API server: a real kubectl, which also carries plain requests (`kubectl proxy`).
struct ClusterClient: Sendable {
    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path()

    let kubeconfig: String
    private let proxy: ChildProcess
    private let address: SocketAddress

    /// Starts the proxy for the current context of `kubeconfig`.
    init(kubeconfig: String) async throws {
        self.kubeconfig = kubeconfig
        proxy = try await ChildProcess.start(
            name: "kubectl-proxy", [Self.program("kubectl"), "--kubeconfig", kubeconfig, "proxy", "--port=0"])
        address = try await proxy.line("the address of the proxy") { line in
            line.split(separator: " ").last.flatMap { SocketAddress($0) }
        }
    }

    /// A program of the Python environment.
    static func program(_ name: String) -> String { "\(root).venv/bin/\(name)" }

    /// Runs kubectl, which must succeed, and returns what it prints.
    @discardableResult
    func kubectl(_ arguments: String...) async throws -> String { try await kubectl(arguments) }

    @discardableResult
    func kubectl(_ arguments: [String]) async throws -> String {
        let (end, output) = try await ChildProcess.run(
            [Self.program("kubectl"), "--kubeconfig", kubeconfig] + arguments, environment: ["KUBECTL_KUBERC": "false"],
            within: .seconds(90))
        guard end == .exited(0) else {
            throw ClusterError(code: 0, description: "kubectl \(arguments.joined(separator: " ")) \(end): \(output)")
        }
        return output
    }

    // MARK: - Requests

    /// Sends a request; throws what the API server refuses.
    @discardableResult
    func request(
        _ method: String, _ path: String, contentType: String = "application/json", _ body: JSONValue? = nil
    ) async throws -> JSONValue {
        let answer = try await httpRequest(method, path, to: address, contentType: contentType, body: body?.encoded ?? [])
        guard (200..<300).contains(answer.status) else {
            throw ClusterError(code: answer.status, description: "\(method) \(path): \(answer.status) \(answer.body)")
        }
        return try JSONValue(parsing: Array(answer.body.utf8))
    }

    /// Creates an object and returns it.
    @discardableResult
    func create(_ object: JSONValue) async throws -> JSONValue {
        try await request("POST", ClusterPath.collection(of: object), object)
    }

    /// The object at `path`; nil when there is none.
    func get(_ path: String) async throws -> JSONValue? {
        do {
            return try await request("GET", path)
        } catch let error as ClusterError where error.code == 404 {
            return nil
        }
    }

    func items(_ path: String) async throws -> [JSONValue] { try await get(path)?["items"]?.elements ?? [] }

    /// Applies a merge patch.
    @discardableResult
    func patch(_ path: String, _ patch: JSONValue) async throws -> JSONValue {
        try await request("PATCH", path, contentType: "application/merge-patch+json", patch)
    }

    /// Deletes the object at `path`; it may be gone already.
    func delete(_ path: String, gracePeriodSeconds: Int64? = nil) async throws {
        do {
            let options = gracePeriodSeconds.map { JSONValue.object(["gracePeriodSeconds": .integer($0)]) }
            try await request("DELETE", path, options)
        } catch let error as ClusterError where error.code == 404 {}
    }

    /// Ends the proxy.
    func stop() async throws { try await proxy.stop() }
}

/// Where objects are.
enum ClusterPath {
    private static let plurals = [
        "Namespace": "namespaces", "Pod": "pods", "ServiceAccount": "serviceaccounts", "Lease": "leases", "Event": "events",
        "VirtualService": "virtualservices", "CustomResourceDefinition": "customresourcedefinitions", "Role": "roles",
        "RoleBinding": "rolebindings", "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings",
        "ConfigMap": "configmaps", "Secret": "secrets",
    ]

    /// The path of all objects of a resource in a namespace, or of the cluster.
    static func collection(_ apiVersion: String, _ plural: String, namespace: String?) -> String {
        let root = apiVersion.contains("/") ? "/apis/\(apiVersion)" : "/api/\(apiVersion)"
        return root + (namespace.map { "/namespaces/\($0)" } ?? "") + "/\(plural)"
    }

    static func collection(of object: JSONValue) -> String {
        collection(
            object["apiVersion"]?.text ?? "", plurals[object["kind"]?.text ?? ""] ?? "",
            namespace: object["metadata", "namespace"]?.text)
    }

    static func object(_ object: JSONValue) -> String { "\(collection(of: object))/\(object["metadata", "name"]?.text ?? "")" }

    static func virtualService(_ name: String, _ namespace: String) -> String {
        collection("servicemesh.l7mp.io/v1", "virtualservices", namespace: namespace) + "/\(name)"
    }

    static func pod(_ name: String, _ namespace: String) -> String { collection("v1", "pods", namespace: namespace) + "/\(name)" }
}
