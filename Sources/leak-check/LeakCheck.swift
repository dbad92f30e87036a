import ArgumentParser
import Foundation
import Leaks
import TestKit

/// Lets clients, calls and pods come and go, and says what the operator has left of them.
@main
struct LeakCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leak-check", abstract: "Memory, descriptors, threads and streams before and after much coming and going.",
        discussion: "Runs in network and mount namespaces of its own: as root, or where users may make namespaces.")

    @Option(help: "Clients that connect and leave; a tenth as many again with TLS. 0 for none.")
    var connections = 100_000

    @Option(help: "Calls that are set up and torn down. 0 for none.")
    var calls = 10_000

    mutating func run() async throws {
        try Namespaces.enter()
        var excess: [String] = []
        func show(_ title: String, _ figures: (before: Figures, after: Figures), since start: ContinuousClock.Instant) {
            print("\(title), in \(start.duration(to: .now))\n  before \(figures.before)\n  after  \(figures.after)")
            fflush(nil)
            excess += figures.after.excess(over: figures.before).map { "\(title): \($0)" }
        }
        var start = ContinuousClock.now
        if connections > 0 {
            show("\(connections) clients", try await ConnectionChurn.play(connections, speaksTLS: false), since: start)
            start = .now
            let count = connections / 10
            show("\(count) clients with TLS", try await ConnectionChurn.play(count, speaksTLS: true), since: start)
        }
        start = .now
        if calls > 0 { show("\(calls) calls", try await ObjectChurn.play(calls), since: start) }
        for line in excess { print("LEFT \(line)") }
        if !excess.isEmpty { throw ExitCode.failure }
    }
}
