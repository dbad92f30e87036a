import CCurl
import CLinux
import Glibc
import Kubernetes

/// Runs a program to its end on a thread of its own, so that no thread of the cooperative pool waits for it.
enum ChildProgram {
    /// How it ended. The bytes are standard output and standard error.
    enum Result: Sendable {
        case exited(Int32, output: [UInt8], errors: [UInt8])
        case notStarted(String)
        case timedOut
        case outputTooLarge
    }

    private static let outputLimit = 1 << 20

    /// Runs `command` with standard input closed, killing its process group after `deadline` and on cancellation. `environment` adds to ours.
    static func run(
        _ command: String, _ arguments: [String], environment: [(name: String, value: String)], deadline: Duration
    ) async throws -> Result {
        let stop = try StopPipe()
        let result = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
                let body = ThreadBody {
                    continuation.resume(
                        returning: runBlocking(command, arguments, environment, deadline: .now + deadline, stop: stop))
                }
                do throws(APITransportError) { try body.start() } catch { continuation.resume(throwing: error) }
            }
        } onCancel: {
            stop.ring()
        }
        try Task.checkCancellation()
        return result
    }

    private static func runBlocking(
        _ command: String, _ arguments: [String], _ environment: [(name: String, value: String)],
        deadline: ContinuousClock.Instant, stop: StopPipe
    ) -> Result {
        var output: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        guard pipe2(&output, O_CLOEXEC) == 0 else { return .notStarted(message(errno)) }
        defer { close(output[0]) }
        guard pipe2(&errors, O_CLOEXEC) == 0 else {
            close(output[1])
            return .notStarted(message(errno))
        }
        defer { close(errors[0]) }
        var child = pid_t()
        let code = spawn(&child, command, arguments, environment, output: output[1], errors: errors[1])
        close(output[1])
        close(errors[1])
        guard code == 0 else { return .notStarted(message(code)) }

        var collected: [[UInt8]] = [[], []]
        var ending = collect([output[0], errors[0]], into: &collected, deadline: deadline, stop: stop)
        var status: Int32 = 0
        // It may have closed its output and go on.
        while ending == nil, waitpid(child, &status, WNOHANG) == 0 {
            var entry = pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 5) > 0 || .now >= deadline { ending = .timedOut }
        }
        if let ending {
            kill(-child, SIGKILL)
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            return ending
        }
        // As WIFEXITED and WEXITSTATUS: a signal counts as 128 and its number, as in a shell.
        let exit = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return .exited(exit, output: collected[0], errors: collected[1])
    }

    /// Reads until all ends are closed; says how it ended otherwise.
    private static func collect(
        _ descriptors: [Int32], into collected: inout [[UInt8]], deadline: ContinuousClock.Instant, stop: StopPipe
    ) -> Result? {
        var polls = (descriptors + [stop.descriptor]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var chunk = [UInt8](repeating: 0, count: 4096)
        while polls[0].fd >= 0 || polls[1].fd >= 0 {
            let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard left > 0 else { return .timedOut }
            let ready = poll(&polls, nfds_t(polls.count), Int32(min(left.rounded(.up), 3_600_000)))
            if ready < 0, errno != EINTR { return .timedOut }
            guard ready > 0 else { continue }
            if polls[2].revents != 0 { return .timedOut }
            for index in 0...1 where polls[index].fd >= 0 && polls[index].revents != 0 {
                let count = read(polls[index].fd, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    polls[index].fd = -1
                    continue
                }
                collected[index] += chunk[..<count]
                if collected[index].count > outputLimit { return .outputTooLarge }
            }
        }
        return nil
    }

    private static func spawn(
        _ child: inout pid_t, _ command: String, _ arguments: [String], _ environment: [(name: String, value: String)],
        output: Int32, errors: Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own to kill with its children; and no signal that we block or ignore.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let added = Set(environment.map(\.name))
        let inherited = environmentLines().filter { line in !added.contains(String(line.prefix { $0 != "=" })) }
        let lines = inherited + environment.map { "\($0.name)=\($0.value)" }
        return withCStrings([command] + arguments) { argv in
            withCStrings(lines) { envp in posix_spawnp(&child, command, &actions, &attributes, argv, envp) }
        }
    }

    private static func environmentLines() -> [String] {
        var lines: [String] = []
        var next = environ
        while let line = next.pointee {
            lines.append(String(cString: line))
            next += 1
        }
        return lines
    }

    private static func withCStrings<T>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T) -> T {
        let strings = texts.map { strdup($0) }
        defer { for string in strings { free(string) } }
        return body(strings + [nil])
    }

    private static func message(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Tells a thread that polls to stop.
private final class StopPipe: Sendable {
    let descriptor: Int32

    init() throws(APITransportError) {
        descriptor = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard descriptor >= 0 else { throw APITransportError("can't make an eventfd: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func ring() {
        var one: UInt64 = 1
        write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}

/// What a new thread runs.
private final class ThreadBody: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() throws(APITransportError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            throw APITransportError("can't start a thread: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }
}
