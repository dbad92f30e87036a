import Load
import Measurement

/// A worker pod comes while 1,000 calls are alive: 4,000 assignments for each of 20 Envoys, each encoded once.
struct WorkerAdded: Row {
    let name = "worker-added"

    func run(_ rig: Rig) async throws -> [Figure] {
        let (calls, envoys) = (rig.size(1000, short: 250), 20)
        let manifests = try rig.manifests(name)
        try manifests.write(
            "pods.yaml", Manifest.envoys("ingress", envoys, network: 100) + Manifest.workers("media", 20, network: 20))
        try manifests.write("calls.yaml", (0..<calls).map { Call($0).yaml }.joined())
        let server = try await Operator.start(rig, source: ["--manifests", manifests.path])
        let crowd = try Crowd(
            CrowdOptions(address: try server.address, nodeIDs: (0..<envoys).map { "default/ingress-\($0)" }))
        crowd.connect()
        _ = try await crowd.awaitComplete(within: .seconds(120))

        var (times, seconds, bytes) = ([Double](), [Double](), [Double]())
        for round in 0..<rig.size(5, short: 3) {
            let (state, before) = (crowd.state, try server.program.figures().cpuSeconds)
            let address = "10.78.1.\(round + 1)"
            crowd.beginRound(marker: address, expected: 4 * calls, startedAt: .now)
            try manifests.write("worker-\(round).yaml", Manifest.pod("added-\(round)", ["group": "media"], address: address))
            let result = try await crowd.finishRound(within: .seconds(60))
            times.append(result.acknowledged.max() ?? 0)
            seconds.append(try server.program.figures().cpuSeconds - before)
            bytes.append(Double(crowd.state.responseBytes - state.responseBytes) / Double(envoys))
        }
        let floor = try rig.floor(sockets: envoys, bytes: Int(Repeated(bytes).median))
        return [
            Figure("worker added, \(4 * calls) assignments × \(envoys): bytes an Envoy", "B", bytes),
            Figure(
                "worker added, \(4 * calls) assignments × \(envoys): all acknowledged", "ms", times,
                floor: floor.lastReadMilliseconds),
            Figure(
                "worker added, \(4 * calls) assignments × \(envoys): server CPU", "ms", seconds.map { $0 * 1e3 },
                floor: floor.cpuMicroseconds * Double(envoys) / 1e3),
        ]
    }
}
