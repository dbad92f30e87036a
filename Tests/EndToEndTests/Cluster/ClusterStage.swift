import Foundation
import KubeAPISimulator
import TestKit
import Testing

/// A namespace of a cluster with the rights that the chart grants an operator, the workers of a story and what it starts.
///
/// Relies on an API server alone: no controllers, no kubelets. Everything is deleted object by object at the end.
struct ClusterStage: Sendable {
    /// Where the operator may do what the chart lets it do.
    enum Rights: Sendable {
        case everywhere
        /// `namespaces` of the chart, `--namespace` of the operator.
        case ownNamespace
    }

    let cluster: Cluster
    let namespace: String
    let rights: Rights
    let ground: LoopbackReservation
    let workers: [Worker]
    /// The rights as the chart renders them; some stories grant a part of them late.
    let grants: [JSONValue]
    private let files: TemporaryDirectory
    private let healthPort: UInt16
    private let workerPorts: [UInt16]
    private let processes = Observed<[ChildProcess]>([])

    var admin: ClusterClient { cluster.admin }
    /// The operator's kubeconfig.
    var kubeconfig: String { files.path(of: "operator") }

    /// Plays `story` with `count` running workers, their pods, and the pod of the Envoy `ingress-0`.
    ///
    /// - Parameter withheld: kinds of bindings that the story makes itself.
    static func play(
        workers count: Int = 0, rights: Rights = .everywhere, withheld: Set<String> = [],
        _ story: (ClusterStage) async throws -> Void
    ) async throws {
        let stage = try await ClusterStage(workers: count, rights: rights)
        var failure: (any Error)?
        do {
            try await stage.prepare(withheld: withheld)
            try await story(stage)
        } catch {
            failure = ProcessFailure(error, stage.processes.value)
        }
        for child in stage.processes.value { try await child.stop(grace: .seconds(15)) }
        do {
            try await stage.clean()
        } catch  where failure != nil {}
        if let failure { throw failure }
    }

    private init(workers count: Int, rights: Rights) async throws {
        cluster = try #require(Cluster.current)
        namespace = "xds-test-\(UUID().uuidString.prefix(8).lowercased())"
        self.rights = rights
        ground = try LoopbackReservation()
        files = try TemporaryDirectory(named: "stage")
        healthPort = try ground.port()
        workerPorts = try ground.ports(4)
        var workers: [Worker] = []
        for index in 0..<count {
            workers.append(
                try await .started(
                    name: "worker-\(index)", host: ground.address(index + 1), ports: workerPorts, healthPort: healthPort))
        }
        self.workers = workers
        grants = try await Self.grants(namespace, rights)
    }

    /// The account and the roles of the chart, as `helm template` renders them.
    private static func grants(_ namespace: String, _ rights: Rights) async throws -> [JSONValue] {
        let values = rights == .ownNamespace ? ["--set", "namespaces={\(namespace)}"] : []
        let (end, output) = try await ChildProcess.run(
            [
                ClusterClient.program("helm"), "template", namespace, "\(ClusterClient.root)helm/xds-operator", "--namespace",
                namespace,
            ] + values)
        guard end == .exited(0) else { throw ClusterError(code: 0, description: "helm template: \(output)") }
        let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]
        return try JSONValue.documents(yaml: output).filter { kinds.contains($0["kind"]?.text ?? "") }
    }

    private func prepare(withheld: Set<String>) async throws {
        try await admin.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]])
        // Where a controller manager runs it makes this account; where none does, pods need it nevertheless.
        do {
            try await admin.create(serviceAccount("default"))
        } catch let error as ClusterError where error.code == 409 {}
        for grant in grants where !withheld.contains(grant["kind"]?.text ?? "") { try await admin.create(grant) }
        if withheld.isEmpty {
            try await awaitRight("list", "", "pods")
            try await awaitRight("update", "coordination.k8s.io", "leases")
        }
        try await cluster.kubeconfig(serviceAccount: account, namespace: namespace)
            .write(toFile: kubeconfig, atomically: true, encoding: .utf8)
        try await add(ClusterPod("ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1"))
        for worker in workers { try await add(pod(of: worker)) }
    }

    private func serviceAccount(_ name: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": ["name": .string(name), "namespace": .string(namespace)],
        ]
    }

    /// The account's name.
    private var account: String {
        get throws { try #require(grants.first { $0["kind"]?.text == "ServiceAccount" }?["metadata", "name"]?.text) }
    }

    /// Waits until the API server's authorizer knows that the account may, or may not, do something: it learns of roles by a watch.
    func awaitRight(_ verb: String, _ group: String, _ resource: String, isGranted: Bool = true) async throws {
        let parts = resource.split(separator: "/").map(String.init)
        let review: JSONValue = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": [
                "user": .string("system:serviceaccount:\(namespace):\(try account)"),
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": [
                    "namespace": .string(namespace), "verb": .string(verb), "group": .string(group),
                    "resource": .string(parts[0]),
                    "subresource": .string(parts.count > 1 ? parts[1] : ""),
                ],
            ],
        ]
        try await eventually("the right to \(verb) \(resource) to be \(isGranted)", within: .seconds(20)) { () -> Look<Void> in
            let answer = try await admin.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            return answer["status", "allowed"]?.truth == isGranted ? .met(()) : .unmet(answer["status"]?.encodedText ?? "")
        }
    }

    /// Deletes every object of the namespace, what belongs to the cluster, and the namespace.
    private func clean() async throws {
        let kinds = [
            ("servicemesh.l7mp.io/v1", "virtualservices"), ("v1", "pods"), ("coordination.k8s.io/v1", "leases"),
            ("events.k8s.io/v1", "events"), ("rbac.authorization.k8s.io/v1", "rolebindings"),
            ("rbac.authorization.k8s.io/v1", "roles"), ("v1", "configmaps"), ("v1", "secrets"), ("v1", "serviceaccounts"),
        ]
        for (apiVersion, plural) in kinds {
            let collection = ClusterPath.collection(apiVersion, plural, namespace: namespace)
            for item in try await admin.items(collection) {
                let path = "\(collection)/\(item["metadata", "name"]?.text ?? "")"
                if item["metadata", "finalizers"] != nil { try await admin.patch(path, ["metadata": ["finalizers": .null]]) }
                try await admin.delete(path, gracePeriodSeconds: 0)
            }
        }
        for grant in grants where grant["metadata", "namespace"] == nil { try await admin.delete(ClusterPath.object(grant)) }
        let path = "/api/v1/namespaces/\(namespace)"
        try await admin.delete(path)
        // The namespace controller would say that it is empty; where none runs, we do.
        if var object = try await admin.get(path) {
            object["spec", "finalizers"] = []
            _ = try? await admin.request("PUT", "\(path)/finalize", object)
        }
        try await eventually("the namespace to be gone", within: .seconds(30)) { () -> Look<Void> in
            try await admin.get(path).map { .unmet($0["status"]?.encodedText ?? "") } ?? .met(())
        }
    }

    // MARK: - Pods and calls

    func pod(of worker: Worker) -> ClusterPod { ClusterPod(worker.name, labels: ["app": "worker"], address: worker.host) }

    /// Creates a pod and gives it the status that a kubelet would.
    func add(_ pod: ClusterPod) async throws {
        try await admin.create(pod.object(namespace: namespace))
        try await update(pod)
    }

    /// Writes the pod's status.
    func update(_ pod: ClusterPod) async throws {
        try await admin.patch(ClusterPath.pod(pod.name, namespace) + "/status", ["status": pod.status])
    }

    /// Deletes a pod; one on a node stays, terminating, until `isForced`.
    func remove(_ pod: ClusterPod, isForced: Bool = false) async throws {
        try await admin.delete(ClusterPath.pod(pod.name, namespace), gracePeriodSeconds: isForced ? 0 : nil)
    }

    /// A call on ports of its own to the workers.
    func call(_ id: String, streams: Int = 1, selector: [String: String] = ["app": "envoy-ingress"]) throws -> CallManifest {
        var call = CallManifest(
            id: id, streams: try workerPorts.prefix(streams).map { .init(port: try ground.port(), workerPort: $0) })
        call.namespace = namespace
        call.selector = selector
        return call
    }

    @discardableResult
    func create(_ call: CallManifest) async throws -> JSONValue { try await admin.create(JSONValue(yaml: call.yaml)) }

    func path(_ call: CallManifest) -> String { ClusterPath.virtualService(call.name, namespace) }

    /// Waits until `call` is as `look` says, and returns it.
    @discardableResult
    func await(
        _ call: CallManifest, _ what: String, within limit: Duration = .seconds(30),
        _ look: @Sendable (JSONValue) -> Bool
    ) async throws -> JSONValue {
        try await eventually("\(call.name) \(what)", within: limit, every: .milliseconds(50)) { () -> Look<JSONValue> in
            guard let object = try await admin.get(path(call)) else { return .unmet("no object") }
            return look(object) ? .met(object) : .unmet(object["status"]?.encodedText ?? "no status")
        }
    }

    @discardableResult
    func awaitCondition(
        _ call: CallManifest, _ type: String, _ status: String, _ reason: String, within limit: Duration = .seconds(30)
    ) async throws -> JSONValue {
        try await self.await(call, "\(type)=\(status) (\(reason))", within: limit) {
            $0.condition(type)?["status"]?.text == status && $0.condition(type)?["reason"]?.text == reason
        }
    }

    /// Where `call` reaches `workers`.
    func hosts(_ workers: [Worker], of call: CallManifest, _ index: Int = 0) -> Set<SocketAddress> {
        Set(workers.map { SocketAddress($0.host, call.streams[index].workerPort) })
    }

    // MARK: - Processes

    /// Starts an operator with the account's rights.
    func startOperator(
        _ replica: String = "one", xdsPort: UInt16 = 0, isReady: Bool = true, arguments: [String] = []
    ) async throws -> OperatorProcess {
        let scope = rights == .ownNamespace ? ["--namespace", namespace] : []
        let process = try await OperatorProcess.start(
            source: [
                "--kubeconfig", kubeconfig, "--leader-elect", "--lease-namespace", namespace, "--replica-name", replica,
            ] + scope, xdsPort: xdsPort, arguments: arguments)
        watch(process.child)
        if isReady { try await process.awaitReady(within: .seconds(40)) }
        return process
    }

    /// Starts the Envoy of a pod.
    func startEnvoy(_ pod: String = "ingress-0", of process: OperatorProcess, node: String? = nil) async throws -> EnvoyProcess {
        let envoy = try await EnvoyProcess.start(
            name: pod, configuration: try await process.bootstrap(node: node ?? "\(namespace)/\(pod)"))
        watch(envoy.child)
        try await envoy.awaitReady()
        return envoy
    }

    /// Who leads, by the Lease; nil when nobody does.
    func leader() async throws -> String? {
        let holder = try await admin.get(
            ClusterPath.collection("coordination.k8s.io/v1", "leases", namespace: namespace) + "/xds-operator")?[
                "spec", "holderIdentity"]?.text
        return holder == "" ? nil : holder
    }

    /// Waits until `replica` leads.
    func awaitLeader(_ replica: String, within limit: Duration = .seconds(40)) async throws {
        try await eventually("\(replica) to lead", within: limit, every: .milliseconds(100)) { () -> Look<Void> in
            let leader = try await leader()
            return leader == replica ? .met(()) : .unmet(leader ?? "nobody")
        }
    }

    /// Adds a process to those that end with the story and whose logs a failure shows.
    func watch(_ child: ChildProcess) { processes.update { $0.append(child) } }
}

extension JSONValue {
    /// The condition `type` of a VirtualService.
    func condition(_ type: String) -> JSONValue? {
        self["status", "conditions"]?.elements?.first { $0["type"]?.text == type }
    }

    /// The names of the replicas that have an entry in the status.
    var replicas: [String] { (self["status", "replicas"]?.elements ?? []).compactMap { $0["name"]?.text }.sorted() }
}
