import Load
import Measurement

/// The server is killed and starts again while 10,000 streams hold everything: they say so, and nothing is sent again.
struct Restart: Row {
    let name = "restart"

    func run(_ rig: Rig) async throws -> [Figure] {
        let streams = 10_000
        let manifests = try rig.manifests(name)
        try manifests.write("envoys.yaml", Manifest.envoys("ingress", streams, network: 100))
        let groups = (0..<10).map { "group\($0)" }
        try manifests.write("workers.yaml", groups.map { Manifest.workers($0, 20, network: 10) }.joined())
        try manifests.write(
            "service.yaml", Manifest.service("service", selector: "ingress", prefix: "s", firstPort: 10_000, groups: groups))
        let trigger = try manifests.changingPod("group0")

        var (resent, times, cpu) = ([Double](), [Double](), [Double]())
        var server = try await Operator.start(rig, source: ["--manifests", manifests.path])
        let port = server.xds
        let crowd = try Crowd(
            CrowdOptions(address: try server.address, nodeIDs: (0..<streams).map { "default/ingress-\($0)" }))
        crowd.connect()
        _ = try await crowd.awaitComplete(within: .seconds(120))
        for round in 1...rig.size(5, short: 2) {
            let before = crowd.state
            server.program.kill()
            try await crowd.awaitState("all to have lost the server", within: .seconds(30)) { $0.complete == 0 }
            let start = Moment.now
            server = try await Operator.start(rig, source: ["--manifests", manifests.path], xdsPort: port)
            try await crowd.awaitState("all to be back", within: .seconds(60)) { $0.completeAt != nil }
            let back = crowd.state
            // In step is who receives the next change. Nobody knows of it before it is made, so what came until then was sent again.
            crowd.beginRound(marker: trigger.marker(round), startedAt: start)
            try trigger.fire(round)
            let result = try await crowd.finishRound(within: .seconds(60))
            times.append((result.acknowledged.max() ?? 0) / 1e3)
            resent.append(Double(crowd.state.resources - before.resources - streams))
            cpu.append(try server.program.figures().cpuSeconds)
            rig.say("  all connected after \(Table.number(Double((back.completeAt ?? start).since(start)) / 1e9)) s")
        }
        return [
            Figure("restart, \(streams) streams: resources sent again", "", resent, target: 0),
            Figure("restart, \(streams) streams: start of the process to all in step", "s", times, target: 5),
            Figure("restart, \(streams) streams: server CPU since its start", "CPU s", cpu),
        ]
    }
}
