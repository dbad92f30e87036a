import Logging
import Synchronization

/// Logs streams whose node id stays unknown, at most so many lines a minute: a wrong bootstrap often stands in thousands of pods.
final class WaitingLog: Sendable {
    private struct Allowance {
        var begin: ContinuousClock.Instant?
        var lines = 0
        var suppressed = 0
    }

    private static let linesPerMinute = 20

    /// How long a stream may wait before that is worth a line: pods become known some time after their Envoys start.
    let patience: Duration
    private let readiness: Readiness
    private let allowance = Mutex(Allowance())

    init(readiness: Readiness, patience: Duration = .seconds(10)) {
        self.readiness = readiness
        self.patience = patience
    }

    /// Whether everything has been read, so that an unknown node id means something.
    var isDue: Bool { readiness.isReady }

    /// Writes a line, unless there were too many of late; returns whether it did.
    func report(with logger: Logger, now: ContinuousClock.Instant = .now) -> Bool {
        let (isAllowed, suppressed) = allowance.withLock { allowance in
            if allowance.begin.map({ now - $0 >= .seconds(60) }) ?? true {
                allowance = Allowance(begin: now, suppressed: allowance.suppressed)
            }
            guard allowance.lines < Self.linesPerMinute else {
                allowance.suppressed += 1
                return (false, 0)
            }
            allowance.lines += 1
            defer { allowance.suppressed = 0 }
            return (true, allowance.suppressed)
        }
        guard isAllowed else { return false }
        let others = suppressed > 0 ? "; \(suppressed) more such lines were left out" : ""
        logger.warning(
            """
            the Envoy waits and gets no configuration: no known pod has its node id. Set node.id in its bootstrap to the pod's uid \
            or to namespace/name, and see that the pod's namespace is watched\(others)
            """)
        return true
    }
}
