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
        let passed = await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await Self.play(examples: examples, keep: keep, interrupt) }
            group.addTask {
                await interrupt.wait()
                return nil
            }
            // The play's outcome counts even when Ctrl-C came: with --keep that is how it ends.
            var passed: Bool?
            for await outcome in group {
                passed = passed ?? outcome
                group.cancelAll()
            }
            return passed
        }
        switch passed {
        case true?: return
        case false?: throw ExitCode.failure
        // As a shell reports a program that Ctrl-C ended.
        case nil: throw ExitCode(130)
        }
    }

    /// Plays the demo and returns whether all went as promised; nil when it was cancelled before that was known.
    private static func play(examples: String, keep: Bool, _ interrupt: Interrupt) async -> Bool? {
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
        } catch {
            if Task.isCancelled { return nil }
            terminal.line("")
            terminal.line("\(error)")
            terminal.verdict(false, "the demo could not be played to its end; the reason is above")
            return false
        }
    }
}
