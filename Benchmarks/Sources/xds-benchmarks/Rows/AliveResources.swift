import Load
import Measurement
import SimulatedEnvoy

/// One endpoint changes while many clusters are alive: what exists must cost nothing.
struct AliveResources: Row {
    let form: DiscoveryForm
    var clusters = 4000

    var name: String { "alive-\(clusters)-\(form.rawValue)" }

    func run(_ rig: Rig) async throws -> [Figure] {
        let streams = 100
        let manifests = try rig.manifests(name)
        try manifests.write("envoys.yaml", Manifest.envoys("ingress", streams, network: 100))
        // The change is in one cluster's endpoints, of 20.
        try manifests.write(
            "workers.yaml", Manifest.workers("lone", 19, network: 10) + Manifest.workers("group", 20, network: 20))
        let services = stride(from: 0, to: clusters, by: 10).map { first in
            Manifest.service(
                "service-\(first)", selector: "ingress", prefix: "s\(first)", firstPort: 10_000 + first,
                groups: (first..<min(first + 10, clusters)).map { $0 == 0 ? "lone" : "group" })
        }
        try manifests.write("services.yaml", services.joined())
        let trigger = try manifests.changingPod("lone")

        var reports: [LoadReport] = []
        for _ in 0..<rig.size(3, short: 1) {
            let server = try await Operator.start(rig, source: ["--manifests", manifests.path])
            var options = CrowdOptions(address: try server.address, nodeIDs: (0..<streams).map { "default/ingress-\($0)" })
            options.form = form
            let session = try LoadSession(
                crowd: options, trigger: trigger, serverProcess: server.program.processID, limit: .seconds(120))
            try await session.connect()
            try await session.run(rounds: rig.size(40, short: 20), warmUp: 5)
            reports.append(session.report())
            server.program.kill()
        }
        let isDelta = form == .delta
        let isTarget = isDelta && clusters == 4000
        let bytes = (reports.first?.responseBytes ?? 0) / max(1, reports.first?.responses ?? 1)
        let floor = try rig.floor(sockets: streams, bytes: bytes + 14)
        let label = "\(form.rawValue), \(clusters) clusters, \(streams) streams"
        return [
            Figure(
                "\(label): server CPU a push", "µs", reports.map(\.serverCPUMicrosecondsPerPush), target: isTarget ? 60 : nil,
                floor: floor.cpuMicroseconds, peer: clusters == 4000 ? (isDelta ? 7600 : 90_000) : nil),
            // What the streams shared to become complete is in the first of these, and gone with the next change.
            Figure(
                "\(label): RSS a stream, just connected", "KiB", reports.map { Double($0.residentBytesPerStream) / 1024 },
                peer: clusters == 4000 ? 6.3 * 1024 : nil),
            Figure(
                "\(label): RSS a stream, after changes", "KiB",
                reports.map { Double($0.serverResidentBytes - $0.serverResidentBytesBefore) / Double(streams) / 1024 },
                target: isTarget ? 40 : nil, peer: clusters == 4000 ? 6.3 * 1024 : nil),
            Figure(
                "\(label): connecting all", "CPU s", reports.map(\.rampServerCPUSeconds), target: isTarget ? 2 : nil,
                peer: clusters == 4000 ? 16 : nil),
            Figure("\(label): connecting all", "s", reports.map(\.rampSeconds)),
            Figure(
                "\(label): change to received, p99", "ms", reports.map(\.receivedMilliseconds.p99),
                peer: clusters == 4000 ? (isDelta ? 410 : 5000) : nil),
        ]
    }
}
