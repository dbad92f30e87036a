import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// The operator on the objects of an API server: what a signalling controller does, with a real kubectl and a real Envoy.
    @Suite struct ClusterTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path()

        private func simulator() throws -> KubeAPISimulator {
            let file = "\(Self.root)helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml"
            return try KubeAPISimulator(definitions: JSONValue.documents(yaml: String(contentsOfFile: file, encoding: .utf8)))
        }

        @Test func `a call is set up, waited for, and deleted with its finalizer`() async throws {
            let ground = try LoopbackReservation()
            let api = try simulator()
            let files = try ManifestDirectory()
            try files.write("kubeconfig", api.kubeconfig())
            let ingress = PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.0.1")
            let worker = try await Worker.started(
                name: "worker-0", host: ground.address(1), ports: [try ground.port()], healthPort: try ground.port())
            for pod in [ingress, PodManifest("worker-0", labels: ["app": "worker"], address: worker.host)] {
                for document in try JSONValue.documents(yaml: pod.yaml) { _ = try api.create(document) }
            }
            let kubeconfig = "\(files.path)/kubeconfig"
            let xdsOperator = try await OperatorProcess.start(
                source: ["--kubeconfig", kubeconfig, "--leader-elect", "--replica-name", "one"])
            let envoy = try await EnvoyProcess.start(
                configuration: try await xdsOperator.bootstrap(node: "default/envoy-ingress-0"))
            let call = CallManifest(
                id: "c1f00d", streams: [.init(port: try ground.port(), workerPort: try #require(worker.ports.first))])
            try files.write("call.yaml", call.yaml)

            let kubectl = "\(Self.root).venv/bin/kubectl"
            func run(_ arguments: String...) async throws -> String {
                let (end, output) = try await ChildProcess.run([kubectl, "--kubeconfig", kubeconfig] + arguments)
                #expect(end == .exited(0), "kubectl \(arguments.joined(separator: " ")): \(output)")
                return output
            }
            _ = try await run("create", "-f", "\(files.path)/call.yaml")
            _ = try await run("wait", "--for=condition=Programmed", "vsvc/ingress-c1f00d", "--timeout=30s")
            // Programmed means that datagrams pass, at once.
            let caller = try Caller(name: "caller", ports: [call.streams[0].port])
            #expect(try await caller.freshAnswers() == ["worker-0"])
            #expect(await caller.stop().map { $0.lost() } == [0])

            let patch = #"{"metadata":{"finalizers":["l7mp.io/delete"]}}"#
            _ = try await run("patch", "vsvc", "ingress-c1f00d", "--type=merge", "-p", patch)
            _ = try await run("delete", "vsvc", "ingress-c1f00d", "--wait=true", "--timeout=30s")
            #expect(try await envoy.admin.listeners().isEmpty)
            #expect(try await xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
            try await api.stop()
        }
    }
}
