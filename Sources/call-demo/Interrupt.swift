import Dispatch
import Glibc
import TestKit

/// Ctrl-C and SIGTERM, as something to wait for instead of a sudden end: what the demo started is then ended in order.
final class Interrupt: Sendable {
    private let came: Observed<Bool>
    // Never touched again after `init`: kept only so that they stay alive.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// Takes both signals from now on.
    init() {
        let came = Observed(false)
        self.came = came
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { came.update { $0 = true } }
            source.resume()
            return source
        }
    }

    /// Returns when one of them came, or the task is cancelled.
    func wait() async {
        _ = try? await came.wait(for: "Ctrl-C", within: .seconds(86_400 * 365)) { $0 ? true : nil }
    }
}
