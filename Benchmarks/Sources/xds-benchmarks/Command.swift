import ArgumentParser
import Foundation
import Measurement
import SimulatedEnvoy

struct Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Measure the operator against its targets, the kernel's price and a peer.",
        discussion: "Figures mean something only when nothing else runs.")

    @OptionGroup var rigOptions: RigOptions
    @Option(help: "Where the figures go, as JSON.")
    var json = "Benchmarks/results/benchmarks.json"
    @Option(help: "Only this row; repeatable. See --list.")
    var only: [String] = []
    @Flag(help: "Fewer runs and smaller worlds: under 5 minutes.")
    var short = false
    @Flag(help: "Also measure over the number of streams and of clusters, for the plots.")
    var sweep = false
    @Flag(help: "Print the names of the rows.")
    var list = false

    private var rows: [any Row] {
        var rows: [any Row] = [
            InStep(form: .delta), InStep(form: .stateOfTheWorld), MutualTLS(), AliveResources(form: .delta),
            AliveResources(form: .stateOfTheWorld), CallCost(), CallSetUp(), WorkerAdded(), Restart(),
        ]
        guard sweep else { return rows }
        for form in DiscoveryForm.allCases {
            for streams in [100, 300, 1000, 3000] { rows.append(InStep(form: form, streams: streams)) }
            for clusters in [10, 100, 1000, 10_000] { rows.append(AliveResources(form: form, clusters: clusters)) }
        }
        return rows
    }

    func run() async throws {
        if list { return print(rows.map(\.name).joined(separator: "\n")) }
        let rig = try rigOptions.makeRig(isShort: short)
        defer { try? FileManager.default.removeItem(at: rig.directory) }
        var report = BenchmarkReport()
        report.processors = ProcessInfo.processInfo.activeProcessorCount
        report.isShort = short
        for row in rows where only.isEmpty || only.contains(row.name) {
            rig.say(row.name)
            do {
                let figures = try await row.run(rig)
                rig.say(Table.text(figures))
                report.figures += figures
            } catch {
                rig.say("  failed: \(error)")
                report.failures[row.name] = "\(error)"
            }
        }
        print(Table.text(report.figures))
        for (row, reason) in report.failures.sorted(by: { $0.key < $1.key }) { print("\(row) failed: \(reason)") }
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: json).deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONText.document(report).write(to: URL(fileURLWithPath: json))
        if !report.failures.isEmpty { throw ExitCode(1) }
    }
}
