import Foundation

/// A wall clock that can be moved under a running process, by libfaketime. Monotonic clocks can't: the kernel's timers would not follow.
public final class MovableClock: Sendable {
    private let directory: TemporaryDirectory
    private var file: String { directory.path(of: "clock") }

    /// Makes one that goes right.
    public init() throws {
        directory = try TemporaryDirectory(named: "clock")
        try move(by: 0)
    }

    /// Sets it so many seconds before (negative) or after the real time.
    public func move(by seconds: Int) throws {
        // Replaced whole: it is read at every look at the clock.
        let draft = directory.path(of: "draft")
        try "\(seconds < 0 ? "" : "+")\(seconds)\n".write(toFile: draft, atomically: false, encoding: .utf8)
        guard rename(draft, file) == 0 else { throw SystemError("rename \(draft)") }
    }

    /// What makes a process go by it.
    public func environment() throws -> [String: String] {
        return [
            "LD_PRELOAD": try Programs.clockLibrary(), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }
}
