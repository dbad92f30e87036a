import Foundation
import Load
import Measurement

/// Calls come and go through an API server at 50 a second while 1,000 are alive, for 10 ingress and 100 worker Envoys.
struct CallSetUp: Row {
    let name = "call-set-up"
    private let ingress = 10
    private let workers = 100

    func run(_ rig: Rig) async throws -> [Figure] {
        let alive = rig.size(1000, short: 200)
        let seconds = rig.size(60, short: 15)
        let rate = 50
        let api = try await APISimulator.start(rig)
        for (app, count, network) in [("ingress", ingress, 100), ("worker", workers, 110)] {
            for index in 0..<count {
                try api.createPod("\(app)-\(index)", ["app": app], address: Manifest.address(network, index))
            }
        }
        for index in 0..<20 { try api.createPod("media-\(index)", ["group": "media"], address: Manifest.address(20, index)) }
        for number in 0..<alive { try api.create(Call(number)) }

        let server = try await Operator.start(rig, source: ["--kubeconfig", api.kubeconfig])
        let nodes =
            (0..<ingress).map { "default/ingress-\($0)" } + (0..<workers).map { "default/worker-\($0)" }
        let crowd = try Crowd(CrowdOptions(address: try server.address, nodeIDs: nodes))
        crowd.connect()
        _ = try await crowd.awaitComplete(within: .seconds(120))

        crowd.beginCalls(audience: nodes.count)
        let before = try server.program.figures()
        try await churn(api, crowd, first: alive, count: rate * seconds, rate: rate, alive: alive)
        let deadline = ContinuousClock.now + .seconds(20)
        while await crowd.pendingCalls() > 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        let lost = await crowd.pendingCalls()
        let after = try server.program.figures()
        let calls = await crowd.takeCalls()

        // The same number of calls alive again: what is held now and was not before is growth.
        try await Task.sleep(for: .seconds(2))
        let first = try server.program.figures().residentBytes
        try await churn(
            api, crowd, first: alive + rate * seconds, count: rate * seconds / 2, rate: rate, alive: alive)
        try await Task.sleep(for: .seconds(2))
        let growth = Double(try server.program.figures().residentBytes - first) / 1_048_576

        let all = Distribution(calls.acknowledged)
        let label = "call set-up, \(rate)/s, \(alive) alive"
        return [
            Figure("\(label): created to all acknowledged, p50", "ms", [all.p50], target: 20),
            Figure("\(label): created to all acknowledged, p99", "ms", [all.p99], target: 100),
            Figure("\(label): created to all acknowledged, max", "ms", [all.max]),
            Figure("\(label): calls not acknowledged by all", "", [Double(lost)], target: 0),
            Figure(
                "\(label): server CPU a call, up and down", "ms",
                [(after.cpuSeconds - before.cpuSeconds) / Double(rate * seconds) * 1e3]),
            Figure("\(label): RSS", "MiB", [Double(after.residentBytes) / 1_048_576]),
            Figure("\(label): growth of RSS in as many seconds again ÷ 2", "MiB", [growth], target: 5),
        ]
    }

    /// Creates calls at the rate, and deletes the oldest for each.
    private func churn(
        _ api: APISimulator, _ crowd: Crowd, first: Int, count: Int, rate: Int, alive: Int
    ) async throws {
        let start = Moment.now
        for index in 0..<count {
            let due = start.advanced(seconds: Double(index) / Double(rate))
            let wait = due.since(.now)
            if wait > 0 { try await Task.sleep(for: .nanoseconds(wait)) }
            await crowd.createCall(first + index)
            try api.create(Call(first + index))
            try api.delete(Call(first + index - alive))
        }
    }
}
