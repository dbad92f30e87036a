import Foundation
import KubeAPISimulator
import TestKit
import Testing

/// Clients that others wrote: kubectl, and the `kubernetes` package of Python.
struct ClientTests {
    private let simulator: KubeAPISimulator
    private let directory: TemporaryDirectory

    init() throws {
        simulator = try startSimulator()
        directory = try TemporaryDirectory(named: "kubectl")
        try simulator.kubeconfig().write(toFile: directory.path(of: "kubeconfig"), atomically: true, encoding: .utf8)
    }

    private func write(_ object: JSONValue, to name: String) throws -> String {
        try object.encodedText.write(toFile: directory.path(of: name), atomically: true, encoding: .utf8)
        return directory.path(of: name)
    }

    private var environment: [String: String] {
        ["KUBECONFIG": directory.path(of: "kubeconfig"), "HOME": directory.path, "KUBECTL_KUBERC": "false"]
    }

    private func command(_ arguments: [String]) -> [String] { ["\(packageRoot)/.venv/bin/kubectl"] + arguments }

    @discardableResult
    private func kubectl(_ arguments: String..., fails: Bool = false) async throws -> String {
        let (end, output) = try await ChildProcess.run(command(arguments), environment: environment)
        #expect((end == .exited(0)) == !fails, "kubectl \(arguments.joined(separator: " ")): \(output)")
        return output
    }

    private let programmed: String = """
        {"status":{"envoys":"3/3","conditions":[{"type":"Programmed","status":"True","reason":"R","message":"", \
        "lastTransitionTime":"2026-01-01T00:00:00Z"}]}}
        """

    @Test func kubectlCreatesWatchesWaitsAndDeletes() async throws {
        let watcher = try await ChildProcess.start(
            name: "kubectl", command(["get", "vsvc", "-w", "--output-watch-events"]), environment: environment)
        _ = try await simulator.requests.wait(for: "the watch", within: .seconds(20)) {
            $0.openWatches["virtualservices"] == 1 ? true : nil
        }

        let file = try write(virtualService("call"), to: "call.json")
        #expect(try await kubectl("create", "-f", file).contains("created"))
        #expect(try await kubectl("create", "-f", file, fails: true).contains("AlreadyExists"))
        let waiter = try await ChildProcess.start(
            name: "kubectl", command(["wait", "--for=condition=Programmed", "vsvc/call", "--timeout=30s"]),
            environment: environment)
        try await kubectl("patch", "vsvc", "call", "--subresource=status", "--type=merge", "-p", programmed)
        #expect(try await waiter.awaitEnd(within: .seconds(40)) == .exited(0), "\(waiter.tail())")
        let header = try await watcher.line("the header") { $0.contains("NAME") ? $0 : nil }
        #expect(header.split(separator: " ") == ["EVENT", "NAME", "LISTENERS", "ENVOYS", "PROGRAMMED", "AGE"])
        let row = try await watcher.line("the programmed row") { $0.contains("3/3") ? $0 : nil }
        #expect(row.split(separator: " ").prefix(4) == ["MODIFIED", "call", "3/3", "True"])

        try simulator.patch("VirtualService", "call", ["metadata": ["finalizers": ["l7mp.io/delete"]]])
        try await kubectl("delete", "vsvc", "call", "--wait=false")
        let deletion = try await ChildProcess.start(
            name: "kubectl", command(["wait", "--for=delete", "vsvc/call", "--timeout=30s"]), environment: environment)
        try await kubectl("patch", "vsvc", "call", "--type=json", "-p", #"[{"op":"remove","path":"/metadata/finalizers/0"}]"#)
        #expect(try await deletion.awaitEnd(within: .seconds(40)) == .exited(0), "\(deletion.tail())")
        _ = try await watcher.line("the deletion") { $0.contains("DELETED") ? $0 : nil }
        try await watcher.stop()
    }

    @Test func kubectlAppliesOnBothSides() async throws {
        let file = try write(virtualService("call"), to: "call.json")
        #expect(try await kubectl("apply", "--validate=false", "-f", file).contains("created"))
        #expect(try await kubectl("apply", "--validate=false", "-f", file).contains("unchanged"))
        var changed = virtualService("call", listeners: [listener("other")])
        _ = try write(changed, to: "call.json")
        #expect(try await kubectl("apply", "-f", file).contains("configured"))
        #expect(simulator.get("VirtualService", "call")?["spec", "listeners"]?.elements?.count == 1)
        // kubectl moves what it applied itself before to the new manager, so that only another one is in conflict.
        try await kubectl("apply", "--server-side", "--field-manager=one", "-f", file)
        changed["spec", "selector"] = ["app": "other"]
        _ = try write(changed, to: "call.json")
        #expect(
            try await kubectl("apply", "--server-side", "--field-manager=two", "-f", file, fails: true).contains(
                "conflict with \"one\""))
        try await kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=two", "-f", file)
        changed["spec", "unknown"] = 1
        _ = try write(changed, to: "call.json")
        #expect(try await kubectl("create", "-f", file, fails: true).contains("unknown field \"spec.unknown\""))
        changed["spec"] = ["selector": ["app": "envoy"], "listeners": [listener("a", port: 0)]]
        _ = try write(changed, to: "call.json")
        #expect(try await kubectl("apply", "-f", file, fails: true).contains("should be greater than or equal to 1"))
    }

    @Test func kubectlReadsPodsInProtobuf() async throws {
        var object = pod("worker", labels: ["app": "worker"], node: "node-1")
        object["spec", "hostNetwork"] = true
        object["spec", "containers"] = [
            ["name": "media", "image": "media:7", "ports": [["name": "rtp", "containerPort": 30000]]]
        ]
        object["status"] = [
            "phase": "Running", "podIP": "127.0.9.1", "podIPs": [["ip": "127.0.9.1"], ["ip": "fd00::1"]],
            "conditions": [
                ["type": "Ready", "status": "False", "reason": "Warming", "lastTransitionTime": "2026-01-01T00:00:00Z"]
            ],
        ]
        try simulator.create(object)
        // `describe` decodes with Kubernetes' own generated code.
        let text = try await kubectl("describe", "pod", "worker")
        for part in ["app=worker", "node-1", "127.0.9.1", "fd00::1", "media:7", "30000", "Running"] {
            #expect(text.contains(part))
        }
        #expect(text.split(separator: "\n").contains { $0.split(separator: " ") == ["Ready", "False"] })
        try await kubectl("create", "namespace", "calls")
        #expect(simulator.get("Namespace", "calls")?["status", "phase"] == "Active")
        #expect(try await kubectl("get", "pods", "-o", "wide").contains("0/1"))
        try await kubectl("delete", "pod", "worker", "--grace-period=0", "--force")
        try await kubectl("delete", "namespace", "calls")
        #expect(simulator.get("Namespace", "calls") == nil)
    }

    @Test func kubectlIsDenied() async throws {
        simulator.deny([Denial(verb: "list", resource: "pods")])
        #expect(try await kubectl("get", "pods", fails: true).contains("cannot list resource \"pods\" in API group \"\""))
        #expect(try await kubectl("auth", "can-i", "list", "pods", fails: true).contains("no"))
    }

    @Test func pythonClientConforms() async throws {
        try simulator.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "conformance"]])
        let (end, output) = try await ChildProcess.run(
            [
                "\(packageRoot)/.venv/bin/python", "\(packageRoot)/Tests/Conformance/custom_objects.py",
                directory.path(of: "kubeconfig"), "conformance",
            ], environment: environment)
        #expect(end == .exited(0), "\(output)")
    }
}
