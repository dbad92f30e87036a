import TestKit

/// The play itself: both calls talk, one loses its worker's pod, the other must not notice.
struct Performance: Sendable {
    let scene: Scene
    let terminal: Terminal

    /// Plays it and returns whether everything came as promised.
    func play() async throws -> Bool {
        let callers = try Example.calls.map { try Caller(name: $0.id, ports: $0.ports) }
        do {
            let passed = try await play(callers)
            terminal.verdict(
                passed,
                passed
                    ? "each call kept to one worker; one call moved as a whole, the other did not notice"
                    : "not everything came as promised, see above")
            return passed
        } catch {
            throw ProcessFailure(error, [scene.envoy.child, scene.xdsOperator.child])
        }
    }

    private func play(_ callers: [Caller]) async throws -> Bool {
        var passed = true
        terminal.headline("Two calls of four streams, 50 datagrams a second each: who answers?")
        terminal.row("", Example.streams)
        var homes: [String] = []
        for caller in callers {
            let answers = try await caller.freshAnswers()
            terminal.row("call \(caller.name)", answers)
            homes.append(answers[0])
            passed = terminal.check(Set(answers).count == 1, "all four streams of \(caller.name) reach one worker") && passed
        }
        passed = terminal.check(homes[0] != homes[1], "the two calls are on different workers") && passed
        guard passed else { return false }
        for caller in callers { try await caller.awaitSent(50) }

        let (moving, staying) = (callers[0], callers[1])
        let gone = homes[0]
        terminal.headline("The pod of \(gone), which serves call \(moving.name), is removed")
        let marks = callers.map(\.mark)
        let start = ContinuousClock.now
        try scene.manifests.remove("pod-\(gone).yaml")
        try await moving.awaitAnswers("answers of another worker") { !$0.contains(gone) }
        let elapsed = ContinuousClock.now - start
        for caller in callers { try await caller.awaitSent(50) }

        let moved = try await moving.freshAnswers()
        let stayed = try await staying.freshAnswers()
        terminal.row("", Example.streams)
        terminal.row("call \(moving.name)", moved)
        terminal.row("call \(staying.name)", stayed)
        var accounts: [[Caller.Stream]] = []
        for caller in callers { accounts.append(await caller.stop()) }

        let movedLost = zip(accounts[0], marks[0]).map { $0.lost(from: $1) }.reduce(0, +)
        passed =
            terminal.check(
                Set(moved).count == 1 && !moved.contains(gone),
                "all four streams of \(moving.name) moved to \(moved[0]) within \(seconds(elapsed)), \(movedLost) datagrams lost")
            && passed
        let sent = accounts[1].map(\.sent).reduce(0, +)
        let lost = accounts[1].map { $0.lost() }.reduce(0, +)
        passed =
            terminal.check(
                Set(accounts[1].flatMap { $0.workers() }) == [homes[1]],
                "call \(staying.name) stayed with \(homes[1]) from its first datagram to its last") && passed
        passed = terminal.check(lost == 0, "call \(staying.name) sent \(sent) datagrams and lost \(lost)") && passed
        return passed
    }
}
