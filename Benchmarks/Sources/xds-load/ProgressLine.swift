import Foundation
import Load

/// A bar on standard error, if that is a terminal.
struct ProgressLine: Sendable {
    private static let width = 30
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// Draws how far the crowd is: first with connecting, then with the round.
    func show(_ state: CrowdState) {
        guard isTerminal, state.streams > 0 else { return }
        let isRamp = state.completeAt == nil
        let (count, total) = isRamp ? (state.complete, state.streams) : (state.acknowledged, state.steady)
        let filled = total == 0 ? 0 : Self.width * count / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: Self.width - filled)
        write(
            "\r\u{1B}[K\(isRamp ? "connecting" : "in step") \(bar) \(count)/\(total), \(state.responses) responses, \(state.lost) lost"
        )
    }

    /// Removes the bar.
    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
