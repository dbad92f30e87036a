public import Glibc

/// How a process ended.
public enum ProcessEnd: Hashable, Sendable, CustomStringConvertible {
    /// It exited with this status.
    case exited(CInt)
    /// It was ended by this signal.
    case killed(CInt)

    public var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .killed(let signal): "was ended by signal \(signal)"
        }
    }
}

/// A process ended before it did what it was started for.
public struct EndedEarly: Error, CustomStringConvertible {
    /// The process.
    public var name: String
    /// What was awaited of it.
    public var what: String
    /// How it ended and the last lines it wrote.
    public var output: String

    public var description: String { "\(name) ended without \(what)\n\(output)" }
}

/// A program that runs as long as someone needs it.
///
/// It has a process group of its own, which is killed when the last reference goes; and the kernel kills it when this process dies.
public final class ChildProcess: Sendable {
    /// What is known of a running or ended process.
    public struct Progress: Sendable {
        /// What it wrote to its standard output and error, by line, oldest first; the last 20,000 are kept.
        public internal(set) var lines: [String] = []
        /// How it ended; nil while it runs.
        public internal(set) var end: ProcessEnd?
        var processID: pid_t?
        var startFailure: SystemError?
        var partialLine: [UInt8] = []
    }

    /// The name under which errors speak of it.
    public let name: String
    /// What it wrote and whether it ended.
    public let progress: Observed<Progress>

    private init(name: String, progress: Observed<Progress>) {
        self.name = name
        self.progress = progress
    }

    deinit { signal(SIGKILL) }

    /// Starts `command` (the path of a program and its arguments).
    ///
    /// - Parameter environment: variables added to those of this process.
    /// - Throws: `SystemError` when it can't be started.
    public static func start(
        name: String, _ command: [String], environment: [String: String] = [:]
    ) async throws -> ChildProcess {
        let progress = Observed(Progress())
        // The kernel's parent-death signal follows the *thread* that started a process, so the thread that starts it stays until it ended.
        try startThread {
            do {
                let (processID, output) = try spawn(command, environment: environment)
                progress.update { $0.processID = processID }
                read(output, into: progress)
                awaitEnd(of: processID, progress)
            } catch {
                progress.update { $0.startFailure = error as? SystemError ?? SystemError("start \(name)", code: EINVAL) }
            }
        }
        let failure = try await progress.wait(for: "the start of \(name)", within: .seconds(30)) {
            $0.processID != nil || $0.startFailure != nil ? .some($0.startFailure) : nil
        }
        if let failure { throw failure }
        return ChildProcess(name: name, progress: progress)
    }

    /// Runs `command` to its end and returns it with all it wrote.
    public static func run(
        _ command: [String], environment: [String: String] = [:], within limit: Duration = .seconds(60)
    ) async throws -> (end: ProcessEnd, output: String) {
        let name = command.first?.split(separator: "/").last.map(String.init) ?? "command"
        let child = try await start(name: name, command, environment: environment)
        let end = try await child.awaitEnd(within: limit)
        return (end, child.output)
    }

    /// Its number while it runs; nil once it has ended.
    public var processID: pid_t? {
        let progress = progress.value
        return progress.end == nil ? progress.processID : nil
    }

    /// Everything it wrote so far.
    public var output: String { progress.value.lines.joined(separator: "\n") }

    /// The last `count` lines it wrote, under a heading; for error messages.
    public func tail(_ count: Int = 40) -> String {
        let progress = progress.value
        let state = progress.end.map { "\($0)" } ?? "runs"
        return "--- \(name) (\(state)), last lines:\n" + progress.lines.suffix(count).joined(separator: "\n")
    }

    /// Sends `number` to its process group; nothing when it ended.
    public func signal(_ number: CInt) {
        // The process is reaped only after `end` is set, so the number can't belong to a stranger.
        progress.update { progress in
            if let processID = progress.processID, progress.end == nil { kill(-processID, number) }
        }
    }

    /// Waits for a line for which `match` returns something.
    ///
    /// - Throws: `EndedEarly` as soon as the process has ended without such a line, `TimedOut` after `limit`.
    public func line<Result: Sendable>(
        _ what: String, within limit: Duration = .seconds(30), _ match: @escaping @Sendable (String) -> Result?
    ) async throws -> Result {
        let found: Result? = try await progress.wait(for: "\(what) of \(name)", within: limit) { progress in
            for line in progress.lines {
                if let result = match(line) { return .some(result) }
            }
            return progress.end != nil ? .some(nil) : nil
        }
        guard let found else { throw EndedEarly(name: name, what: what, output: tail()) }
        return found
    }

    /// Waits until it has ended.
    public func awaitEnd(within limit: Duration) async throws -> ProcessEnd {
        try await progress.wait(for: "the end of \(name)", within: limit) { $0.end }
    }

    /// Asks it to end by SIGTERM, kills it after `grace`, and returns how it ended.
    @discardableResult
    public func stop(grace: Duration = .seconds(5)) async throws -> ProcessEnd {
        signal(SIGTERM)
        if let end = try? await awaitEnd(within: grace) { return end }
        signal(SIGKILL)
        return try await awaitEnd(within: .seconds(10))
    }
}

// MARK: - On the child's thread

extension ChildProcess {
    private static func spawn(_ command: [String], environment: [String: String]) throws -> (pid_t, Descriptor) {
        var ends: [CInt] = [0, 0]
        // A socket pair, because it is born close-on-exec: a pipe could leak into a child that another thread starts.
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SystemError("socketpair")
        }
        let output = try Descriptor(ends[0], "socketpair")
        let input = try Descriptor(ends[1], "socketpair")

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, input.number, 1)
        posix_spawn_file_actions_adddup2(&actions, input.number, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, and no signal blocked or ignored that this process blocks or ignores.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        // `setpriv` replaces itself by the program, so the process is the program's.
        let arguments = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] + command
        var processID = pid_t()
        let code = withCStrings(arguments) { arguments in
            withCStrings(merged(environment)) {
                posix_spawn(&processID, "/usr/bin/setpriv", &actions, &attributes, arguments, $0)
            }
        }
        guard code == 0 else { throw SystemError("start \(command.first ?? "")", code: code) }
        return (processID, output)
    }

    private static func merged(_ added: [String: String]) -> [String] {
        var entries = added.map { "\($0.key)=\($0.value)" }
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if added[String(text.prefix { $0 != "=" })] == nil { entries.append(text) }
            next += 1
        }
        return entries
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }

    private static func read(_ output: Descriptor, into progress: Observed<Progress>) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(output.number, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            let chunk = Array(buffer.prefix(count))
            progress.update { $0.append(chunk) }
        }
        progress.update { $0.append([UInt8(ascii: "\n")]) }
    }

    private static func awaitEnd(of processID: pid_t, _ progress: Observed<Progress>) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        progress.update { progress in
            var status: CInt = 0
            waitpid(processID, &status, 0)
            let signal = status & 0x7f
            progress.end = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal)
        }
    }
}

extension ChildProcess.Progress {
    fileprivate mutating func append(_ bytes: [UInt8]) {
        partialLine += bytes
        while let end = partialLine.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: partialLine[..<end], as: UTF8.self)
            if !line.isEmpty { lines.append(line) }
            partialLine.removeSubrange(...end)
        }
        if lines.count > 20_000 { lines.removeFirst(lines.count - 20_000) }
    }
}
