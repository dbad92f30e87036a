import Glibc

/// What the kernel says of this process (proc(5)).
public struct ProcessFigures: Sendable {
    /// Processor time used, in seconds, of user and system together.
    public var processorSeconds = 0.0
    /// Resident memory, in bytes.
    public var residentBytes = 0
    /// Address space, in bytes.
    public var virtualBytes = 0
    /// Threads.
    public var threadCount = 0
    /// Descriptors open.
    public var openDescriptors = 0
    /// Descriptors that may be open.
    public var maximumDescriptors = 0
    /// When the process began, in seconds since 1970.
    public var startSeconds = 0.0

    /// Reads the figures of now; what can't be read is 0.
    public init() {
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        if let fields = Self.statFields() {
            // The fields after the program's name; the first is field 3 of proc_pid_stat(5).
            func field(_ number: Int) -> Int { fields.indices.contains(number - 3) ? Int(fields[number - 3]) ?? 0 : 0 }
            processorSeconds = Double(field(14) + field(15)) / ticks
            threadCount = field(20)
            virtualBytes = field(23)
            residentBytes = field(24) * max(1, sysconf(Int32(_SC_PAGESIZE)))
            startSeconds = Self.bootSeconds() + Double(field(22)) / ticks
        }
        openDescriptors = Self.entryCount("/proc/self/fd")
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            maximumDescriptors = Int(clamping: limit.rlim_cur)
        }
    }

    /// The name stands in parentheses and may contain anything, also parentheses.
    private static func statFields() -> [Substring]? {
        guard let text = text(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    private static func bootSeconds() -> Double {
        let line = text(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) } ?? 0
    }

    private static func entryCount(_ path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Not itself, nor "." and "..".
        return max(0, count - 3)
    }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0, bytes.count < 1 << 20 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension MetricsWriter {
    /// Writes the figures under the names that every Prometheus client library gives them, which do not carry the prefix.
    public mutating func write(_ figures: ProcessFigures) {
        var writer = MetricsWriter(prefix: "process", format: format)
        writer.counter("cpu_seconds", "Processor time used, user and system.", Sample(figures.processorSeconds))
        writer.gauge("resident_memory_bytes", "Resident memory.", Sample(figures.residentBytes))
        writer.gauge("virtual_memory_bytes", "Address space.", Sample(figures.virtualBytes))
        writer.gauge("threads", "Threads.", Sample(figures.threadCount))
        writer.gauge("open_fds", "Descriptors open.", Sample(figures.openDescriptors))
        writer.gauge("max_fds", "Descriptors that may be open.", Sample(figures.maximumDescriptors))
        writer.gauge("start_time_seconds", "When the process began, in seconds since 1970.", Sample(figures.startSeconds))
        families += writer.families
    }
}
