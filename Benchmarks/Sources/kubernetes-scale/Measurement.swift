import Foundation

/// What one run of the operator showed.
struct Measurement: CustomStringConvertible {
    /// Seconds from the start of the process until `/readyz` says so.
    var firstSync = 0.0
    /// Seconds of processor time until then.
    var processorTime = 0.0
    /// Resident memory in MiB: the most it ever was before and when it was steady, and then.
    var peak = 0.0
    var ready = 0.0
    var steady = 0.0
    /// Of one update of a pod that nothing selects, in microseconds of processor time.
    var updateCost = 0.0
    /// What the resident memory grew by over all updates, in MiB.
    var updateGrowth = 0.0
    /// Responses sent to Envoys meanwhile.
    var pushes = 0.0

    init(_ options: KubernetesScale, cluster: Cluster, directory: String) throws {
        let status = options.writesStatus ? ["--status-rate", "2000", "--status-burst", "2000"] : []
        let start = Date()
        let process = try Program(
            [
                "\(options.programs)/xds-operator", "serve", "--kubeconfig", cluster.kubeconfig, "--xds-bind-address",
                "127.0.0.1:0", "--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0",
            ] + status, output: "\(directory)/operator.log")
        let probes = try process.word(after: "probes listening address=")
        while (try? HTTP.get(probes, "/readyz").status) != 200 {
            guard process.isRunning, Date().timeIntervalSince(start) < 600 else { throw Failure("no first sync", process) }
            usleep(5000)
        }
        firstSync = Date().timeIntervalSince(start)
        processorTime = process.processorSeconds
        ready = process.memory("VmRSS")
        let metrics = try process.word(after: "metrics listening address=")
        let xds = try process.word(after: "xDS server listening address=")
        let envoy = try options.envoy.map { try Self.connect($0, options, xds, metrics, directory) }
        defer { withExtendedLifetime(envoy) {} }
        if options.writesStatus { try Self.awaitStatus(options.services, metrics) }
        sleep(UInt32(options.settle))
        peak = process.memory("VmHWM")
        steady = process.memory("VmRSS")
        try update(options, cluster, process, metrics)
        process.end()
    }

    private mutating func update(
        _ options: KubernetesScale, _ cluster: Cluster, _ process: Program, _ metrics: String
    ) throws {
        guard options.updates > 0 else { return }
        let before = try Metrics(metrics)
        let (time, memory) = (process.processorSeconds, process.memory("VmRSS"))
        let received = before["xds_operator_watch_events_total{resource=\"pods\"}"]
        try cluster.updatePods(options.updates, version: Int(Date().timeIntervalSince1970))
        var after = before
        let deadline = Date().addingTimeInterval(300)
        while after["xds_operator_watch_events_total{resource=\"pods\"}"] - received < Double(options.updates) {
            guard Date() < deadline else { throw Failure("not all updates came", process) }
            usleep(50_000)
            after = try Metrics(metrics)
        }
        updateCost = (process.processorSeconds - time) / Double(options.updates) * 1e6
        updateGrowth = process.memory("VmRSS") - memory
        pushes = after["xds_operator_pushes_total"] - before["xds_operator_pushes_total"]
    }

    private static func awaitStatus(_ services: Int, _ metrics: String) throws {
        let deadline = Date().addingTimeInterval(300)
        var last = -1.0
        while Date() < deadline {
            sleep(2)
            let written = try Metrics(metrics)["xds_operator_writes_total{kind=\"status\",result=\"written\"}"]
            if written >= Double(services), written == last { return }
            last = written
        }
    }

    /// An Envoy of a pod that one small object selects.
    private static func connect(
        _ program: String, _ options: KubernetesScale, _ xds: String, _ metrics: String, _ directory: String
    ) throws -> Program {
        let bootstrap = "\(directory)/bootstrap.yaml"
        let print = try Program(
            [
                "\(options.programs)/xds-operator", "bootstrap", "--xds-address", xds, "--admin-port", "0", "--node-id",
                "default/\(Objects.podName(options.workers + 2))",
            ], output: bootstrap)
        print.awaitEnd()
        let envoy = try Program([program, "-c", bootstrap, "--concurrency", "1"], output: "\(directory)/envoy.log")
        let deadline = Date().addingTimeInterval(60)
        while try Metrics(metrics)["xds_operator_pushes_total"] < 3 {
            guard Date() < deadline else { throw Failure("Envoy was sent nothing", envoy) }
            usleep(50_000)
        }
        return envoy
    }

    var description: String {
        Self.rows.map { "\($0.name) \($0.text(self[keyPath: $0.value]))" }.joined(separator: ", ")
    }

    /// A figure, how it is named and written.
    struct Row {
        let name: String
        let unit: String
        let value: KeyPath<Measurement, Double>

        func text(_ value: Double) -> String { String(format: unit == "s" ? "%.2f %@" : "%.1f %@", value, unit) }

        /// The median of all runs, and how far they lie apart.
        func line(_ results: [Measurement]) -> String {
            let values = results.map { $0[keyPath: value] }.sorted()
            guard let first = values.first, let last = values.last else { return name }
            return "\(name): median \(text(values[values.count / 2])), from \(text(first)) to \(text(last))"
        }
    }

    static var rows: [Row] {
        [
            Row(name: "first sync", unit: "s", value: \.firstSync),
            Row(name: "processor time until then", unit: "s", value: \.processorTime),
            Row(name: "resident at first sync", unit: "MiB", value: \.ready),
            Row(name: "resident, peak", unit: "MiB", value: \.peak),
            Row(name: "resident, steady", unit: "MiB", value: \.steady),
            Row(name: "processor time of an unselected update", unit: "µs", value: \.updateCost),
            Row(name: "growth over all updates", unit: "MiB", value: \.updateGrowth),
            Row(name: "pushes meanwhile", unit: "", value: \.pushes),
        ]
    }
}

/// The figures that a process serves.
struct Metrics {
    private let lines: [Substring]

    init(_ address: String) throws {
        lines = String(decoding: try HTTP.get(address, "/metrics").body, as: UTF8.self).split(separator: "\n")
    }

    /// The value of a name with its labels; 0 when there is none.
    subscript(name: String) -> Double {
        lines.first { $0.hasPrefix("\(name) ") }.flatMap { Double($0.dropFirst(name.utf8.count + 1)) } ?? 0
    }
}
