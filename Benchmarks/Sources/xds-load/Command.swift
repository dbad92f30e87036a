import ArgumentParser
import Foundation
import Load
import Measurement

@main
struct Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xds-load", abstract: "Connect thousands of simulated Envoys to a discovery server and measure it.",
        discussion: """
            Connects, waits until everyone has all, then changes something round after round and measures how long it takes to \
            reach each stream. Writes one line of JSON to standard output.
            """)

    @OptionGroup var crowd: CrowdArguments
    @OptionGroup(title: "Changes") var changes: TriggerArguments
    @Option(help: "Changes made one after the other, each once the last has reached all.")
    var rounds = 10
    @Option(help: "Changes made before those, and not measured.")
    var warmUp = 2
    @Option(help: "Seconds to look on after the rounds.")
    var hold = 0.0
    @Option(help: "The server's process, to read its CPU time and memory.")
    var pid: Int32?
    @Option(help: "The URL of the server's metrics, of which the changes during the rounds are reported.")
    var metrics: String?
    @Option(help: "Seconds that connecting, and each round, may take.")
    var limit = 120.0

    func validate() throws {
        guard rounds >= 0, warmUp >= 0, hold >= 0, limit > 0 else { throw ValidationError("counts and times must be positive") }
    }

    func run() async throws {
        let progress = ProgressLine()
        let session = try LoadSession(
            crowd: crowd.options(), trigger: changes.trigger(), serverProcess: pid, metricsURL: metrics,
            limit: .seconds(limit))
        let crowd = session.crowd
        let watcher = Task {
            while !Task.isCancelled {
                progress.show(crowd.state)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        defer { watcher.cancel() }
        try await session.connect()
        try await session.run(rounds: rounds, warmUp: warmUp)
        try await session.hold(seconds: hold)
        watcher.cancel()
        progress.clear()
        print(try JSONText.line(session.report()))
    }
}
