import Foundation
import Load
import Measurement
import SimulatedEnvoy

/// Streams in step over mutual TLS, each known by the SPIFFE identity of its pod's service account: the price of a stream and of a push.
struct MutualTLS: Row {
    let name = "mutual-tls"
    private let streams = 2000

    func run(_ rig: Rig) async throws -> [Figure] {
        let manifests = try rig.manifests(name)
        try manifests.write("envoys.yaml", Manifest.envoys("ingress", streams, network: 100, serviceAccount: "envoy"))
        try manifests.write("workers.yaml", Manifest.workers("group0", 19, network: 10))
        try manifests.write(
            "service.yaml",
            Manifest.service(
                "service", selector: "ingress", prefix: "s", firstPort: 10_000, groups: Array(repeating: "group0", count: 10)))
        let trigger = try manifests.changingPod("group0")

        let certificates = rig.directory.appending(path: "certificates").path
        _ = try Program.run(rig.operatorPath, ["certificates", "init", certificates], in: rig.directory)
        let identity = "spiffe://cluster.local/ns/default/sa/envoy"
        _ = try Program.run(
            rig.operatorPath, ["certificates", "issue", certificates, "envoy", "--uri", identity], in: rig.directory)
        let source = [
            "--manifests", manifests.path, "--xds-tls-cert", "\(certificates)/server/tls.crt",
            "--xds-tls-key", "\(certificates)/server/tls.key", "--xds-tls-client-ca", "\(certificates)/server/ca.crt",
        ]

        var reports: [LoadReport] = []
        for _ in 0..<rig.size(3, short: 1) {
            let server = try await Operator.start(rig, source: source)
            var options = CrowdOptions(address: try server.address, nodeIDs: (0..<streams).map { "default/ingress-\($0)" })
            options.tls = TLSFiles(
                authority: "\(certificates)/ca.crt", certificate: "\(certificates)/envoy/tls.crt",
                key: "\(certificates)/envoy/tls.key")
            let session = try LoadSession(
                crowd: options, trigger: trigger, serverProcess: server.program.processID, limit: .seconds(120))
            try await session.connect()
            try await session.run(rounds: rig.size(15, short: 8), warmUp: 3)
            reports.append(session.report())
            server.program.kill()
        }
        let label = "delta, mutual TLS, \(streams) streams"
        return [
            Figure(
                "\(label): RSS a stream", "KiB", reports.map { Double($0.residentBytesPerStream) / 1024 }, target: 45),
            Figure("\(label): server CPU a push", "µs", reports.map(\.serverCPUMicrosecondsPerPush)),
            Figure("\(label): connecting all", "CPU s", reports.map(\.rampServerCPUSeconds)),
        ]
    }
}
