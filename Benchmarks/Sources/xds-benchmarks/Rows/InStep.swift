import Load
import Measurement
import SimulatedEnvoy

/// Streams in step, 10 clusters of 20 endpoints, one of which changes: the price of a push, of a stream, and of connecting.
struct InStep: Row {
    let form: DiscoveryForm
    var streams: Int?

    var name: String { "in-step-\(form.rawValue)" + (streams.map { "-\($0)" } ?? "") }

    func run(_ rig: Rig) async throws -> [Figure] {
        let streams = streams ?? 10_000
        let manifests = try rig.manifests(name)
        try manifests.write("envoys.yaml", Manifest.envoys("ingress", streams, network: 100))
        let groups = (0..<10).map { "group\($0)" }
        try manifests.write(
            "workers.yaml", groups.map { Manifest.workers($0, $0 == "group0" ? 19 : 20, network: 10) }.joined())
        try manifests.write(
            "service.yaml", Manifest.service("service", selector: "ingress", prefix: "s", firstPort: 10_000, groups: groups))
        let trigger = try manifests.changingPod("group0")

        var reports: [LoadReport] = []
        for _ in 0..<rig.size(3, short: 1) {
            let server = try await Operator.start(rig, source: ["--manifests", manifests.path])
            var options = CrowdOptions(address: try server.address, nodeIDs: (0..<streams).map { "default/ingress-\($0)" })
            options.form = form
            let session = try LoadSession(
                crowd: options, trigger: trigger, serverProcess: server.program.processID, limit: .seconds(120))
            try await session.connect()
            let rounds = max(rig.size(15, short: 8), 20_000 / streams)
            try await session.run(rounds: rounds, warmUp: 3)
            reports.append(session.report())
            server.program.kill()
        }
        return try figures(reports, streams, rig)
    }

    private func figures(_ reports: [LoadReport], _ streams: Int, _ rig: Rig) throws -> [Figure] {
        let bytes = (reports.first?.responseBytes ?? 0) / max(1, reports.first?.responses ?? 1)
        // What goes with a message on the wire: HTTP/2 and gRPC prefixes. An acknowledgement of ours is about this long.
        let floor = try rig.floor(sockets: streams, bytes: bytes + 14)
        let answered = try rig.floor(sockets: streams, bytes: bytes + 14, answer: 110)
        let isDelta = form == .delta
        let isWhole = streams == 10_000
        let label = "\(form.rawValue), \(streams) streams"
        return [
            Figure("\(label): bytes a push", "B", reports.map { Double($0.responseBytes) / Double($0.responses) }),
            Figure(
                "\(label): server CPU a push", "µs", reports.map(\.serverCPUMicrosecondsPerPush),
                target: isWhole ? (isDelta ? 35 : 80) : nil, floor: floor.cpuMicroseconds, peer: isDelta ? 140 : 370),
            Figure("\(label): floor, writing only", "µs", [floor.cpuMicroseconds]),
            Figure("\(label): floor with answers read", "µs", [answered.cpuMicroseconds]),
            Figure(
                "\(label): load generator's CPU a push", "µs", reports.map { $0.loadCPUSeconds / Double($0.responses) * 1e6 }),
            Figure(
                "\(label): RSS a stream", "KiB", reports.map { Double($0.residentBytesPerStream) / 1024 },
                target: isDelta && isWhole ? 18 : nil, peer: 62),
            Figure("\(label): change to received, p50", "ms", reports.map(\.receivedMilliseconds.p50)),
            Figure(
                "\(label): change to received, p99", "ms", reports.map(\.receivedMilliseconds.p99),
                target: isDelta && isWhole ? 500 : nil, floor: floor.lastReadMilliseconds,
                peer: isWhole ? (isDelta ? 1500 : 3300) : nil),
            Figure(
                "\(label): change to last acknowledged", "ms", reports.map { Repeated($0.lastAcknowledged).median },
                floor: answered.lastReadMilliseconds),
            Figure("\(label): connecting all", "s", reports.map(\.rampSeconds), peer: isWhole ? 10 : nil),
            Figure("\(label): connecting all", "CPU s", reports.map(\.rampServerCPUSeconds), peer: isWhole ? 10 : nil),
        ]
    }
}
