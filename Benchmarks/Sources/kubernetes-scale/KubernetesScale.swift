import ArgumentParser
import Foundation

/// Prints how long the operator takes to know a large cluster, and what memory that costs.
@main
struct KubernetesScale: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubernetes-scale",
        abstract: "Measures the operator's first sync, its memory, and what pods cost that nothing selects.",
        discussion: """
            Starts kube-api-simulator, fills it, and starts xds-operator as a process for each run. Build both first: \
            swift build -c release --product xds-operator --product kube-api-simulator.
            """)

    @Option(help: "Pods, of which some are workers and ingresses.")
    var pods = 50_000
    @Option(help: "VirtualServices; every two are a call, of four listeners on the ingresses and four on the workers.")
    var services = 10_000
    @Option(help: "Pods that are workers of the calls.")
    var workers = 10
    @Option(help: "How often the operator is started.")
    var runs = 5
    @Option(help: "Updates of pods that nothing selects.")
    var updates = 100_000
    @Option(help: "Seconds after the first sync at which memory counts as steady.")
    var settle = 10
    @Option(help: "The directory of the built programs.")
    var programs = "../.build/release"
    @Option(help: "An Envoy to connect meanwhile, on whose stream pushes would be seen; none without.")
    var envoy: String?
    @Flag(help: "Let the operator write the status of every object, at 2,000 a second, before memory counts as steady.")
    var writesStatus = false

    func run() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kubernetes-scale-\(getpid())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try Cluster(program: "\(programs)/kube-api-simulator", directory: directory)
        try cluster.fill(pods: pods, services: services, workers: workers)
        print("\(pods) pods of about \(cluster.podSize) bytes, \(services) VirtualServices, \(workers) workers")
        let list = try cluster.timeToRead()
        print("the API server alone sends all of it in \(list.seconds) (it shares the processors)")

        var results: [Measurement] = []
        for number in 1...max(1, runs) {
            let result = try Measurement(self, cluster: cluster, directory: directory)
            print("run \(number): \(result)")
            results.append(result)
        }
        print("")
        for row in Measurement.rows { print(row.line(results)) }
    }
}

extension Double {
    /// Seconds with three digits.
    var seconds: String { String(format: "%.3f s", self) }
}
