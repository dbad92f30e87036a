import FoundationEssentials
public import Glibc

/// What the kernel says of a process.
public struct ProcessFigures: Codable, Hashable, Sendable {
    /// CPU seconds of all its threads, in user space and in the kernel, since it began.
    public let cpuSeconds: Double
    /// Resident memory, in bytes.
    public let residentBytes: Int
    /// Open descriptors.
    public let descriptors: Int

    /// The process is gone or not ours.
    public struct Unreadable: Error, CustomStringConvertible {
        /// The process.
        public let processID: pid_t

        public var description: String { "process \(processID) can't be measured: it has ended or belongs to someone else" }
    }

    /// Reads the figures of `processID`.
    public init(of processID: pid_t) throws(Unreadable) {
        var clock = clockid_t()
        var time = timespec()
        // Exact to the nanosecond, where /proc/PID/stat counts in hundredths of a second.
        guard clock_getcpuclockid(processID, &clock) == 0, clock_gettime(clock, &time) == 0,
            let pages = Self.residentPages(of: processID)
        else { throw Unreadable(processID: processID) }
        cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        residentBytes = pages * Int(sysconf(CInt(_SC_PAGESIZE)))
        descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
    }

    /// The figures of this process.
    public static func own() throws(Unreadable) -> ProcessFigures { try ProcessFigures(of: getpid()) }

    /// The second field of statm (proc_pid_statm(5)).
    private static func residentPages(of processID: pid_t) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8) else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
