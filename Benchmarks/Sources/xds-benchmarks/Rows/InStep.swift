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
        var floors: [Floor] = []
        for _ in 0..<rig.size(3, short: 1) {
            let server = try await Operator.start(rig, source: ["--manifests", manifests.path])
            var options = CrowdOptions(address: try server.address, nodeIDs: (0..<streams).map { "default/ingress-\($0)" })
            options.form = form
            let session = try LoadSession(
                crowd: options, trigger: trigger, serverProcess: server.program.processID, limit: .seconds(120))
            try await session.connect()
            let rounds = max(rig.size(15, short: 8), 20_000 / streams)
            try await session.run(rounds: rounds, warmUp: 3)
            let report = session.report()
            server.program.kill()
            reports.append(report)
            floors.append(try Floor(report, streams, rig))
        }
        return figures(reports, floors, streams)
    }

    /// What the kernel takes for the same bytes, measured right after each run: the machine is not as fast from one minute to the next.
    private struct Floor {
        let written: (cpuMicroseconds: Double, lastReadMilliseconds: Double)
        let answered: (cpuMicroseconds: Double, lastReadMilliseconds: Double)

        init(_ report: LoadReport, _ streams: Int, _ rig: Rig) throws {
            // What goes with a message on the wire: HTTP/2 and gRPC prefixes. An acknowledgement of ours is about this long.
            let bytes = report.responseBytes / max(1, report.responses) + 14
            written = try rig.floor(sockets: streams, bytes: bytes)
            answered = try rig.floor(sockets: streams, bytes: bytes, answer: 110)
        }
    }

    private func figures(_ reports: [LoadReport], _ floors: [Floor], _ streams: Int) -> [Figure] {
        let floor = Repeated(floors.map(\.written.cpuMicroseconds)).median
        let lastRead = Repeated(floors.map(\.written.lastReadMilliseconds)).median
        let ratios = zip(reports, floors).map { $0.serverCPUMicrosecondsPerPush / $1.answered.cpuMicroseconds }
        let isDelta = form == .delta
        let isWhole = streams == 10_000
        let label = "\(form.rawValue), \(streams) streams"
        return [
            Figure("\(label): bytes a push", "B", reports.map { Double($0.responseBytes) / Double($0.responses) }),
            Figure(
                "\(label): server CPU a push", "µs", reports.map(\.serverCPUMicrosecondsPerPush),
                target: isWhole ? (isDelta ? 35 : 80) : nil, floor: floor, peer: isDelta ? 140 : 370),
            Figure("\(label): that ÷ floor with answers read", "×", ratios, target: isDelta && isWhole ? 2 : nil),
            Figure("\(label): floor, writing only", "µs", floors.map(\.written.cpuMicroseconds)),
            Figure("\(label): floor with answers read", "µs", floors.map(\.answered.cpuMicroseconds)),
            Figure(
                "\(label): load generator's CPU a push", "µs", reports.map { $0.loadCPUSeconds / Double($0.responses) * 1e6 }),
            Figure(
                "\(label): RSS a stream", "KiB", reports.map { Double($0.residentBytesPerStream) / 1024 },
                target: isDelta && isWhole ? 18 : nil, peer: 62),
            Figure("\(label): change to received, p50", "ms", reports.map(\.receivedMilliseconds.p50)),
            Figure(
                "\(label): change to received, p99", "ms", reports.map(\.receivedMilliseconds.p99),
                target: isDelta && isWhole ? 500 : nil, floor: lastRead,
                peer: isWhole ? (isDelta ? 1500 : 3300) : nil),
            Figure(
                "\(label): change to last acknowledged", "ms", reports.map { Repeated($0.lastAcknowledged).median },
                floor: Repeated(floors.map(\.answered.lastReadMilliseconds)).median),
            Figure("\(label): connecting all", "s", reports.map(\.rampSeconds), peer: isWhole ? 10 : nil),
            Figure("\(label): connecting all", "CPU s", reports.map(\.rampServerCPUSeconds), peer: isWhole ? 10 : nil),
        ]
    }
}
