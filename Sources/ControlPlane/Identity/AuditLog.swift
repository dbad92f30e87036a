import Logging
import Synchronization

/// Writes a line for each client that is refused, but not more than a few a second: strangers must not be able to fill a disk.
final class AuditLog: Sendable {
    private static let linesPerSecond = 10

    private let logger: Logger
    private let start = ContinuousClock.now
    /// The second that `lines` counts, from `start`.
    private let second = Atomic<Int>(0)
    private let lines = Atomic<Int>(0)
    private let suppressed = Atomic<Int>(0)

    init(_ logger: Logger) { self.logger = logger }

    /// Writes a line unless there have been too many in this second. Two loops that begin a second at once may write a few more.
    func refused(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        let now = Int((ContinuousClock.now - start) / .seconds(1))
        if second.exchange(now, ordering: .relaxed) != now { lines.store(0, ordering: .relaxed) }
        guard lines.add(1, ordering: .relaxed).newValue <= Self.linesPerSecond else {
            suppressed.add(1, ordering: .relaxed)
            return
        }
        var metadata = metadata
        let unseen = suppressed.exchange(0, ordering: .relaxed)
        if unseen > 0 { metadata["lines-left-out"] = "\(unseen)" }
        logger.warning(message, metadata: metadata)
    }
}
