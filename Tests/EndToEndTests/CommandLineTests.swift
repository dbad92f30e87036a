import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// The commands that end by themselves.
    @Suite struct CommandLineTests {
        private let good = CallManifest(id: "c1f00d", streams: [.init(port: 10000, workerPort: 30000)], healthCheckPort: 1233)

        @Test func `validate accepts good manifests`() async throws {
            let manifests = try ManifestDirectory()
            try manifests.write("call.yaml", good.yaml)
            try manifests.write("pod.yaml", PodManifest("worker-0", labels: ["app": "worker"], address: "127.0.1.1").yaml)
            #expect(try await run("validate", "-f", manifests.path).end == .exited(0))
            #expect(
                try await run("validate", "-f", "\(manifests.path)/call.yaml", "-f", "\(manifests.path)/pod.yaml").end
                    == .exited(0))
        }

        struct Fault: Sendable, CustomTestStringConvertible {
            var found: String
            var replacement: String
            /// The field that the message names; empty where only file and line are known.
            var field: String
            var testDescription: String { "\(found) → \(replacement)" }
        }

        @Test(arguments: [
            Fault(found: "port: 10000", replacement: "port: 0", field: "spec.listeners[0].udp.port"),
            Fault(found: "port: 30000", replacement: "port: 70000", field: "spec.listeners[0].udp.cluster.endpoints[0].port"),
            Fault(
                found: "interval: 100", replacement: "interval: 0", field: "spec.listeners[0].udp.cluster.health_check.interval"),
            Fault(
                found: "protocol: TCP", replacement: "protocol: UDP", field: "spec.listeners[0].udp.cluster.health_check.protocol"
            ),
            Fault(
                found: "service_discovery: eds", replacement: "service_discovery: dns",
                field: "spec.listeners[0].udp.cluster.service_discovery"),
            Fault(found: "selector: {app: envoy-ingress}", replacement: "selector: {}", field: "spec.selector"),
        ])
        func `validate names file, line and field of a fault`(_ fault: Fault) async throws {
            let manifests = try ManifestDirectory()
            try manifests.write("call.yaml", good.yaml.replacing(fault.found, with: fault.replacement))
            let lines = good.yaml.split(separator: "\n", omittingEmptySubsequences: false)
            let line = try #require(lines.firstIndex { $0.contains(fault.found) }) + 1
            let (end, output) = try await run("validate", "-f", manifests.path)
            #expect(end == .exited(1))
            #expect(output.contains("call.yaml:\(line): \(fault.field): "))
        }

        @Test func `validate reports every fault and what is no YAML`() async throws {
            let manifests = try ManifestDirectory()
            try manifests.write("broken.yaml", "kind: [\n")
            try manifests.write(
                "call.yaml", good.yaml.replacing("port: 10000", with: "port: x").replacing("port: 30000", with: "port: -1"))
            let (end, output) = try await run("validate", "-f", manifests.path)
            #expect(end == .exited(1))
            #expect(output.contains(#/broken\.yaml:\d+: /#))
            #expect(output.contains(#/call\.yaml:\d+: spec\.listeners\[0\]\.udp\.port: /#))
            #expect(output.contains(#/call\.yaml:\d+: spec\.listeners\[0\]\.udp\.cluster\.endpoints\[0\]\.port: /#))
        }

        @Test func `validate fails for a path that is not there`() async throws {
            let (end, output) = try await run("validate", "-f", "/nonexistent/manifests")
            #expect(end != .exited(0))
            #expect(output.contains("/nonexistent/manifests"))
        }

        @Test(arguments: ["listeners", "clusters", "endpoints"], ["yaml", "json"])
        func `translate prints what an Envoy would get`(_ type: String, _ format: String) async throws {
            let manifests = try ManifestDirectory()
            let ingress = PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: "127.0.1.100")
            // Without health checks, whose short interval would be warned of.
            let call = CallManifest(id: "c1f00d", streams: [.init(port: 10000, workerPort: 30000)])
            try manifests.write("call.yaml", call.yaml)
            try manifests.write("ingress.yaml", ingress.yaml)
            try manifests.write("worker.yaml", PodManifest("worker-0", labels: ["app": "worker"], address: "127.0.1.1").yaml)
            let arguments = ["translate", "-f", manifests.path, "--type", type, "-o", format, "--node"]
            let (end, output) = try await run(arguments + [ingress.uid])
            #expect(end == .exited(0))
            let name = ["listeners": good.listener(0), "clusters": good.cluster(0), "endpoints": "127.0.1.1"][type]
            #expect(output.contains(try #require(name)))
            if format == "json" { _ = try JSONSerialization.jsonObject(with: Data(output.utf8)) }
            #expect(try await run(arguments + ["default/envoy-ingress-0"]).output == output)
        }

        @Test(arguments: ["delta", "sotw"]) func `bootstrap prints what Envoy accepts`(_ api: String) async throws {
            let (end, output) = try await run("bootstrap", "--xds-address", "127.0.0.1:18000", "--node-id", "a-uid", "--api", api)
            #expect(end == .exited(0))
            let (isValid, report) = try await EnvoyProcess.validate(configuration: output)
            #expect(isValid, "\(report)")
        }

        @Test func `a bootstrap without a node id works with envoy --service-node`() async throws {
            try await Stage.play(workers: 1) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await EnvoyProcess.start(
                    configuration: try await stage.xdsOperator.bootstrap(node: nil),
                    arguments: ["--service-node", stage.ingress.uid])
                stage.watch(envoy.child)
                try await envoy.awaitListeners(call.listeners)
                _ = try await call.caller().freshAnswers()
            }
        }

        @Test func `version and help print and end well`() async throws {
            let (end, output) = try await run("version")
            #expect(end == .exited(0))
            #expect(output.contains(#/\d+\.\d+/#))
            #expect(try await run("--help").end == .exited(0))
        }

        @Test func `serve refuses a directory that is not there`() async throws {
            let (end, output) = try await run(
                "serve", "--manifests", "/nonexistent/manifests", "--xds-bind-address", "127.0.0.1:0", "--metrics-bind-address",
                "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0")
            #expect(end != .exited(0))
            #expect(output.contains("/nonexistent/manifests"))
        }

        private func run(_ arguments: String...) async throws -> (end: ProcessEnd, output: String) {
            try await run(arguments)
        }

        private func run(_ arguments: [String]) async throws -> (end: ProcessEnd, output: String) {
            try await ChildProcess.run([try Programs.xdsOperator()] + arguments)
        }
    }
}
