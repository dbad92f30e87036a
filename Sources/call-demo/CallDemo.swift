import ArgumentParser
import TestKit

/// Plays two calls through a real operator, a real Envoy and three workers, and judges what it saw.
@main
struct CallDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call-demo",
        abstract: "Two calls of four UDP streams through a real Envoy; then a worker's pod goes away.")

    @Option(help: "The directory of the example manifests; the demo works on a copy.")
    var examples = "examples"

    @Flag(help: "Leave everything running until Ctrl-C.")
    var keep = false

    mutating func run() async throws {
        let (examples, keep) = (examples, keep)
        let interrupt = Interrupt()
        let passed = try await withThrowingTaskGroup(of: Bool?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await Self.play(examples: examples, keep: keep, interrupt) }
            group.addTask {
                await interrupt.wait()
                return nil
            }
            return try await group.next() ?? nil
        }
        switch passed {
        case true?: return
        case false?: throw ExitCode.failure
        // As a shell reports a program that Ctrl-C ended.
        case nil: throw ExitCode(130)
        }
    }

    /// Plays the demo and returns whether all went as promised.
    private static func play(examples: String, keep: Bool, _ interrupt: Interrupt) async throws -> Bool {
        let terminal = Terminal()
        do {
            let scene = try await Scene.set(examples: examples, terminal)
            let passed = try await Performance(scene: scene, terminal: terminal).play()
            if keep {
                try scene.restorePods()
                scene.explain(terminal)
                await interrupt.wait()
                terminal.line("")
            }
            await scene.clear()
            return passed
        } catch let error where !(error is CancellationError) {
            terminal.line("")
            terminal.line("\(error)")
            terminal.verdict(false, "the demo could not be played to its end; the reason is above")
            return false
        }
    }
}
