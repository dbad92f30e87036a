import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// The API server is gone for a while: only our simulator can be told to go.
    @Suite struct OutageTests {
        enum Return: CaseIterable, Sendable {
            /// Watches go on where they were.
            case asItWas
            /// Its history is compacted: watches get 410.
            case withoutHistory
        }

        @Test(arguments: Return.allCases)
        func `what is served stays served, and only differences are pushed`(comesBack: Return) async throws {
            let scene = try await OutageScene.set()
            let api = try KubeAPISimulator(objects: Cluster.definitions() + scene.objects)
            let (xdsOperator, envoy, caller, before) = try await scene.begin(api.kubeconfig())
            _ = try await api.requests.wait(for: "the watches", within: .seconds(20)) {
                $0.openWatches["virtualservices"] == 1 && $0.openWatches["pods"] == 1 ? true : nil
            }

            try await api.goDown()
            try await xdsOperator.child.line("a word about the outage") { $0.contains("trying again") ? () : nil }
            try api.create(JSONValue(yaml: scene.later.yaml))
            try api.delete("VirtualService", scene.leaving.name)
            try await caller.awaitSent(50)
            #expect(Set(try await caller.freshAnswers()) == ["worker-0"])
            try await api.comeBack(losingHistory: comesBack == .withoutHistory)

            try await scene.end(xdsOperator, envoy, caller, before)
            try await api.stop()
        }

        /// As after a restore from a backup: a server that knows nothing of the versions that clients remember.
        @Test func `a killed server comes back with nothing but its objects`() async throws {
            let scene = try await OutageScene.set()
            let (port, files) = (try scene.ground.port(), try TemporaryDirectory(named: "outage"))
            func start(_ objects: [JSONValue]) async throws -> ChildProcess {
                let file = files.path(of: "objects-\(objects.count)-\(UUID().uuidString).yaml")
                try objects.map(\.encodedText).joined(separator: "\n---\n").write(toFile: file, atomically: true, encoding: .utf8)
                let child = try await ChildProcess.start(
                    name: "kube-api-simulator",
                    [
                        URL(filePath: try Programs.xdsOperator()).deletingLastPathComponent().path() + "kube-api-simulator",
                        "--bind-address", "127.0.0.1:\(port)", "--object", file, "--kubeconfig-out", files.path(of: "kubeconfig"),
                    ])
                try await child.line("its address") { $0.contains("listening on") ? () : nil }
                return child
            }
            let first = try await start(Cluster.definitions() + scene.objects)
            let kubeconfig = try String(contentsOfFile: files.path(of: "kubeconfig"), encoding: .utf8)
            let admin = try await ClusterClient(kubeconfig: files.path(of: "kubeconfig"))
            let (xdsOperator, envoy, caller, before) = try await scene.begin(kubeconfig)
            var saved: [JSONValue] = []
            for (path, apiVersion, kind) in [
                ("/apis/servicemesh.l7mp.io/v1/virtualservices", "servicemesh.l7mp.io/v1", "VirtualService"),
                ("/api/v1/pods", "v1", "Pod"),
            ] {
                for var object in try await admin.items(path) where object["metadata", "name"]?.text != scene.leaving.name {
                    // Items of a list don't say what they are.
                    object["apiVersion"] = .string(apiVersion)
                    object["kind"] = .string(kind)
                    saved.append(object)
                }
            }

            first.signal(SIGKILL)
            _ = try await first.awaitEnd(within: .seconds(10))
            try await xdsOperator.child.line("a word about the outage") { $0.contains("trying again") ? () : nil }
            try await caller.awaitSent(50)
            let second = try await start(try Cluster.definitions() + saved + [JSONValue(yaml: scene.later.yaml)])

            try await scene.end(xdsOperator, envoy, caller, before)
            try await second.stop()
            try await admin.stop()
        }
    }
}

/// A call that must survive an outage, one that is deleted and one that is made meanwhile.
private struct OutageScene: Sendable {
    let ground: LoopbackReservation
    let worker: Worker
    let staying: CallManifest
    let leaving: CallManifest
    let later: CallManifest
    private let files: TemporaryDirectory

    static func set() async throws -> OutageScene {
        let ground = try LoopbackReservation()
        let worker = try await Worker.started(
            name: "worker-0", host: ground.address(1), ports: ground.ports(2), healthPort: ground.port())
        func call(_ id: String) throws -> CallManifest {
            CallManifest(id: id, streams: try worker.ports.map { .init(port: try ground.port(), workerPort: $0) })
        }
        return OutageScene(
            ground: ground, worker: worker, staying: try call("staying"), leaving: try call("leaving"), later: try call("later"),
            files: try TemporaryDirectory(named: "outage"))
    }

    /// What the API server has at first.
    var objects: [JSONValue] {
        get throws {
            let pods = [
                PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1"),
                PodManifest("worker-0", labels: ["app": "worker"], address: worker.host),
            ]
            let generated = [staying, leaving].map(\.yaml)
            return try (pods.map(\.yaml) + generated).map { text in
                var object = try JSONValue(yaml: text)
                object["metadata", "creationTimestamp"] = "2026-01-01T00:00:00Z"
                object["metadata", "generation"] = 1
                if object["metadata", "uid"] == nil { object["metadata", "uid"] = .string(UUID().uuidString.lowercased()) }
                return object
            }
        }
    }

    /// Starts an operator, an Envoy with both calls, and a caller whose datagrams are answered.
    func begin(_ kubeconfig: String) async throws -> (OperatorProcess, EnvoyProcess, Caller, [String: UInt64]) {
        let file = files.path(of: "kubeconfig")
        try kubeconfig.write(toFile: file, atomically: true, encoding: .utf8)
        let xdsOperator = try await OperatorProcess.start(
            source: ["--kubeconfig", file, "--leader-elect", "--replica-name", "one"])
        try await xdsOperator.awaitReady()
        let envoy = try await EnvoyProcess.start(configuration: try await xdsOperator.bootstrap(node: "default/envoy-ingress-0"))
        try await envoy.awaitListeners(staying.listeners.union(leaving.listeners))
        let caller = try staying.caller()
        _ = try await caller.freshAnswers()
        return (xdsOperator, envoy, caller, try await counters(of: envoy))
    }

    /// Waits until what changed meanwhile has arrived, and checks that nothing else has.
    func end(
        _ xdsOperator: OperatorProcess, _ envoy: EnvoyProcess, _ caller: Caller, _ before: [String: UInt64]
    ) async throws {
        do {
            // The longest pause between two attempts is 30 s.
            try await envoy.awaitListeners(staying.listeners.union(later.listeners), within: .seconds(60))
        } catch {
            throw ProcessFailure(error, [xdsOperator.child])
        }
        #expect(Set(try await later.caller().freshAnswers()) == ["worker-0"])
        #expect(Set(try await caller.freshAnswers()) == ["worker-0"])
        #expect(await caller.stop().map { $0.lost() } == [0, 0])
        let after = try await counters(of: envoy)
        for (name, difference) in [
            ("listener_manager.listener_added", 2), ("listener_manager.listener_removed", 2),
            ("listener_manager.listener_modified", 0), ("cluster_manager.cluster_added", 2),
            ("cluster_manager.cluster_modified", 0), ("listener_manager.lds.update_rejected", 0),
            ("cluster_manager.cds.update_rejected", 0),
        ] as [(String, UInt64)] {
            #expect(after[name, default: 0] == before[name, default: 0] + difference, "\(name)")
        }
        for (name, value) in before where name.contains(staying.id) {
            #expect(after[name] == value, "\(name) changed")
        }
        #expect(try await xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
    }

    private func counters(of envoy: EnvoyProcess) async throws -> [String: UInt64] {
        try await envoy.admin.statistics(containing: "listener_manager.")
            .merging(envoy.admin.statistics(containing: "cluster_manager.")) { first, _ in first }
            .merging(envoy.admin.statistics(containing: "membership_change")) { first, _ in first }
    }
}
