public import Logging
import Synchronization

/// The least level that is logged, which may change while the program runs; readable and writable from anywhere.
public final class LogLevel: Sendable {
    private static let levels = Logger.Level.allCases
    private let usual: Logger.Level
    private let index: Atomic<Int>

    /// Begins at `level`.
    public init(_ level: Logger.Level) {
        usual = level
        index = Atomic(Self.levels.firstIndex(of: level) ?? 0)
    }

    /// The level now.
    public var current: Logger.Level {
        get { Self.levels[index.load(ordering: .relaxed)] }
        set { index.store(Self.levels.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }

    /// Goes to `debug`, or from there back to the level that it began at (where that is `debug` itself, to `info`); returns the new one.
    public func toggle() -> Logger.Level {
        current = current == .debug ? (usual == .debug ? .info : usual) : .debug
        return current
    }
}
