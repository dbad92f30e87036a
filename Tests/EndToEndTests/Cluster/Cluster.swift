import Foundation
import KubeAPISimulator
import TestKit
import Testing

/// The API server of a suite: the one that `XDS_OPERATOR_TEST_KUBECONFIG` names, else our simulator, which enforces roles.
///
/// Stories know the difference by nothing but ``isSimulated``, and use that only to look closer.
struct Cluster: Sendable {
    @TaskLocal static var current: Cluster?

    let admin: ClusterClient
    /// Nil for a real API server.
    let simulator: KubeAPISimulator?
    private let definition: JSONValue
    private let hasMadeDefinition: Bool
    private let files: TemporaryDirectory

    /// The definition of VirtualService that the chart installs.
    static func definitions() throws -> [JSONValue] {
        let file = "\(ClusterClient.root)helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml"
        return try JSONValue.documents(yaml: String(contentsOfFile: file, encoding: .utf8))
    }

    /// Connects, and installs the definition where it is missing.
    static func open() async throws -> Cluster {
        let files = try TemporaryDirectory(named: "cluster")
        var kubeconfig = ProcessInfo.processInfo.environment["XDS_OPERATOR_TEST_KUBECONFIG"] ?? ""
        var simulator: KubeAPISimulator?
        if kubeconfig.isEmpty {
            let started = try KubeAPISimulator()
            started.enforceRoles()
            started.stopControllers()
            kubeconfig = files.path(of: "admin")
            try started.kubeconfig().write(toFile: kubeconfig, atomically: true, encoding: .utf8)
            simulator = started
        }
        let admin = try await ClusterClient(kubeconfig: kubeconfig)
        let definition = try definitions()[0]
        var hasMadeDefinition = false
        if try await admin.get(ClusterPath.object(definition)) == nil {
            try await admin.create(definition)
            hasMadeDefinition = true
        }
        let cluster = Cluster(
            admin: admin, simulator: simulator, definition: definition, hasMadeDefinition: hasMadeDefinition, files: files)
        // Requests are served a little before kubectl finds the resource.
        try await eventually("VirtualServices to be served", within: .seconds(60)) { () -> Look<Void> in
            .met(_ = try await admin.kubectl("get", "vsvc", "--all-namespaces"))
        }
        return cluster
    }

    /// Removes what `open` made.
    func close() async throws {
        if hasMadeDefinition {
            let path = ClusterPath.object(definition)
            try await admin.delete(path)
            // The API server removes it later; the next suite must not take it for one that stays.
            try await eventually("the definition to be gone", within: .seconds(60)) { () -> Look<Void> in
                try await admin.get(path) == nil ? .met(()) : .unmet("being deleted")
            }
        }
        try await admin.stop()
        try await simulator?.stop()
    }

    /// A kubeconfig like the administrator's with the token of a service account in place of his credentials.
    func kubeconfig(serviceAccount: String, namespace: String) async throws -> String {
        let answer = try await admin.request(
            "POST", ClusterPath.collection("v1", "serviceaccounts", namespace: namespace) + "/\(serviceAccount)/token",
            ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": ["expirationSeconds": 3600]])
        let text = try await admin.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
        var config = try JSONValue(parsing: Array(text.utf8))
        config["users"] = [["name": "operator", "user": ["token": answer["status", "token"] ?? ""]]]
        var context = config["contexts"]?[0] ?? [:]
        context["context", "user"] = "operator"
        config["contexts"] = [context]
        return config.encodedText
    }
}

/// Gives the tests of a suite a cluster, and cleans up after the last.
struct ClusterTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await Cluster.open()
        do {
            try await Cluster.$current.withValue(cluster) { try await function() }
        } catch {
            try await cluster.close()
            throw error
        }
        try await cluster.close()
    }
}

extension Trait where Self == ClusterTrait {
    /// With an API server, real or simulated.
    static var cluster: ClusterTrait { ClusterTrait() }
}
