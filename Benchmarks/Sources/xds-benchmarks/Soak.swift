import ArgumentParser
import Foundation
import Load
import Measurement

/// Calls come and go for a long time while some of the Envoys keep reconnecting: memory and descriptors must not grow.
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "Let calls and connections come and go, and see that nothing grows.",
        discussion: "Memory and descriptors count, which other work on the machine does not change.")

    @OptionGroup var rigOptions: RigOptions
    @Option(help: "How long it is measured, after the warm-up.")
    var seconds = 600
    @Option(
        help: "Calls of the warm-up, at five times the rate. By default enough for the bounded histories of changes to be full.")
    var warmUpCalls = 9000
    @Option(help: "Calls that are set up in a second; as many are torn down.")
    var rate = 20
    @Option(help: "Calls that are alive.")
    var alive = 400
    @Option(help: "Mean seconds between the breaks of an Envoy that reconnects; every other one does.")
    var reconnectInterval = 10.0
    // What the allocator keeps goes up and down by half of this. Of the calls of ten minutes, it is 700 bytes each.
    @Option(help: "The largest difference between the medians of memory in the last and the first third, in MiB.")
    var allowedMebibytes = 8.0
    @Option(help: "The largest difference between those of descriptors.")
    var allowedDescriptors = 5.0
    @Option(help: "Where the figures go, as JSON.")
    var json = "Benchmarks/results/soak.json"

    @Option(help: "Envoys that have the first half of each call.")
    var ingress = 10
    @Option(help: "Envoys that have the second half.")
    var workers = 40

    func validate() throws {
        guard seconds >= 15, rate > 0, alive > 0, ingress > 0, workers > 0, reconnectInterval > 0 else {
            throw ValidationError("--seconds must be 15 at least, and the others more than 0")
        }
    }

    func run() async throws {
        let rig = try rigOptions.makeRig()
        defer { try? FileManager.default.removeItem(at: rig.directory) }
        let api = try await APISimulator.start(rig)
        try createWorld(api)
        // A backlog of status writes after the warm-up, and the memory that it takes, would last into the measurement.
        let server = try await Operator.start(rig, source: ["--kubeconfig", api.kubeconfig, "--status-rate", "2000"])
        let nodes =
            (0..<ingress).map { "default/ingress-\($0)" } + (0..<workers).map { "default/worker-\($0)" }
        var options = CrowdOptions(address: try server.address, nodeIDs: nodes)
        options.shares = [.reconnecting: 0.5]
        options.reconnectInterval = reconnectInterval
        let crowd = try Crowd(options)
        crowd.connect()
        _ = try await crowd.awaitComplete(within: .seconds(120))

        var report = SoakReport(seconds: seconds, rate: rate, alive: alive, envoys: nodes.count)
        var churn = CallChurn(api: api, crowd: crowd, alive: alive)
        rig.say("warming up with \(warmUpCalls) calls")
        try await churn.run(seconds: warmUpCalls / (5 * rate), rate: 5 * rate) { _, _ in }
        try await churn.run(seconds: 10, rate: rate) { _, _ in }
        // Those of the warm-up may have been too short for all to hear of them.
        if crowd.state.steady > 0 { crowd.beginCalls(audience: crowd.state.steady) }
        rig.say("second  resident KiB  descriptors  CPU s  calls")
        let metrics = HTTPClient(try ServerAddress("127.0.0.1:\(server.metrics)"))
        let before = (
            crowd: crowd.state, figures: try server.program.figures(), calls: churn.created,
            counters: PrometheusText(try metrics.request("GET", "/metrics"))
        )
        try await churn.run(seconds: seconds, rate: rate) { second, created in
            let figures = try server.program.figures()
            report.add(figures, second: second)
            guard second % max(1, seconds / 20) == 0 else { return }
            let cpu = Table.number(figures.cpuSeconds - before.figures.cpuSeconds)
            rig.say("\(second)  \(figures.residentBytes / 1024)  \(figures.descriptors)  \(cpu)  \(created - before.calls)")
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while await crowd.pendingCalls() > 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        report.calls = churn.created - before.calls
        report.callsUnacknowledged = await crowd.pendingCalls()
        report.reconnections = crowd.state.broken - before.crowd.broken
        report.pushes = crowd.state.responses - before.crowd.responses
        report.pushedBytes = crowd.state.responseBytes - before.crowd.responseBytes
        report.connectionsLost = crowd.state.lost
        report.counters = PrometheusText(try metrics.request("GET", "/metrics")).differences(to: before.counters)
            .filter { $0.key.hasPrefix("xds_operator_") && $0.key.hasSuffix("_total") && $0.value > 0 }
        report.cpuSeconds = try server.program.figures().cpuSeconds - before.figures.cpuSeconds
        report.close()

        rig.say(report.text)
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: json).deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONText.document(report).write(to: URL(fileURLWithPath: json))
        let faults = report.faults(allowedBytes: allowedMebibytes * 1_048_576, allowedDescriptors: allowedDescriptors)
        for fault in faults { rig.say("NOT FLAT: \(fault)") }
        if !faults.isEmpty { throw ExitCode.failure }
    }

    private func createWorld(_ api: APISimulator) throws {
        for (app, count, network) in [("ingress", ingress, 100), ("worker", workers, 110)] {
            for index in 0..<count {
                try api.createPod("\(app)-\(index)", ["app": app], address: Manifest.address(network, index))
            }
        }
        for index in 0..<20 { try api.createPod("media-\(index)", ["group": "media"], address: Manifest.address(20, index)) }
        for number in 0..<alive { try api.create(Call(number)) }
    }
}
