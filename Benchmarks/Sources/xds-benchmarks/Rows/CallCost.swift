import Load
import Measurement

/// What one call (8 resources on the ingress Envoys and 8 on the workers) costs with few and with many calls alive.
struct CallCost: Row {
    let name = "call-cost"
    private let envoys = 10

    func run(_ rig: Rig) async throws -> [Figure] {
        let many = rig.size(10_000, short: 2000)
        let few = try await measure(rig, alive: 10)
        let loaded = try await measure(rig, alive: many)
        return [
            Figure("one call, 10 alive: server CPU", "ms", few),
            Figure("one call, \(many) alive: server CPU", "ms", loaded),
            Figure(
                "one call, \(many) alive ÷ 10 alive", "", [Repeated(loaded).median / Repeated(few).median], target: 1.3),
        ]
    }

    /// CPU milliseconds of the server to set a call up and tear it down, by series.
    private func measure(_ rig: Rig, alive: Int) async throws -> [Double] {
        let manifests = try rig.manifests("call-cost-\(alive)")
        try manifests.write(
            "pods.yaml",
            Manifest.envoys("ingress", envoys, network: 100) + Manifest.envoys("worker", envoys, network: 110)
                + Manifest.workers("media", 20, network: 20))
        for start in stride(from: 0, to: alive, by: 1000) {
            try manifests.write("calls-\(start).yaml", (start..<min(start + 1000, alive)).map { Call($0).yaml }.joined())
        }
        let server = try await Operator.start(rig, source: ["--manifests", manifests.path])
        let nodes = ["ingress", "worker"].flatMap { app in (0..<envoys).map { "default/\(app)-\($0)" } }
        let crowd = try Crowd(CrowdOptions(address: try server.address, nodeIDs: nodes))
        crowd.connect()
        _ = try await crowd.awaitComplete(within: .seconds(300))

        var series: [Double] = []
        // On ports of their own: whoever took those of a call alive would take it away, and bring it back at the end.
        var number = 60 * Call.period + 11_000
        for index in 0..<(1 + rig.size(5, short: 3)) {
            let before = try server.program.figures().cpuSeconds
            for _ in 0..<20 {
                number += 1
                try await play(number, crowd, manifests)
            }
            // The first series only warms up.
            if index > 0 { series.append((try server.program.figures().cpuSeconds - before) / 20 * 1e3) }
        }
        return series
    }

    /// Sets a call up, waits for all Envoys, and takes it away.
    private func play(_ number: Int, _ crowd: Crowd, _ manifests: ManifestDirectory) async throws {
        // On each Envoy four clusters, their endpoints, and four listeners.
        crowd.beginRound(marker: "call\(number)", expected: 12, startedAt: .now)
        try manifests.write("call.yaml", Call(number).yaml)
        _ = try await crowd.finishRound(within: .seconds(30))
        try manifests.remove("call.yaml")
    }
}
