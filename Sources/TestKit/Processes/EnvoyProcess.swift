import Foundation

/// A real Envoy and its admin interface.
public final class EnvoyProcess: Sendable {
    /// The process.
    public let child: ChildProcess
    /// Its admin interface.
    public let admin: EnvoyAdmin
    private let directory: TemporaryDirectory

    private init(child: ChildProcess, admin: EnvoyAdmin, directory: TemporaryDirectory) {
        self.child = child
        self.admin = admin
        self.directory = directory
    }

    /// Starts an Envoy with the bootstrap `configuration` (YAML), which must have an admin interface; its port may be 0.
    ///
    /// Removed listeners drain for one second only, so that tests see their ports freed.
    ///
    /// - Parameters:
    ///   - arguments: further command-line arguments, such as `--service-node`.
    ///   - wrapper: a program with arguments that replaces itself by Envoy, such as `nsenter`.
    public static func start(
        name: String = "envoy", configuration: String, arguments: [String] = [], wrapper: [String] = []
    ) async throws -> EnvoyProcess {
        let directory = try TemporaryDirectory(named: name)
        let file = directory.path(of: "bootstrap.yaml")
        let adminFile = directory.path(of: "admin")
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
        let child = try await ChildProcess.start(
            name: name,
            wrapper + [
                try Programs.envoy(), "-c", file, "--admin-address-path", adminFile, "--concurrency", "2", "--drain-time-s", "1",
                "--disable-hot-restart", "--log-level", "info", "--log-format", "%T.%e %l %n: %v",
            ] + arguments)
        do {
            let address = try await eventually("the admin address of \(name)", within: .seconds(30)) {
                () -> Look<SocketAddress?> in
                if child.progress.value.end != nil { return .met(nil) }
                let text = try String(contentsOfFile: adminFile, encoding: .utf8)
                return SocketAddress(text.trimmingCharacters(in: .whitespacesAndNewlines)).map { .met($0) } ?? .unmet(text)
            }
            guard let address else { throw EndedEarly(name: name, what: "an admin address", output: child.tail()) }
            return EnvoyProcess(child: child, admin: EnvoyAdmin(address: address), directory: directory)
        } catch let error as TimedOut {
            throw ProcessFailure(error, [child])
        }
    }

    /// Checks `configuration` (YAML) without serving it, as `envoy --mode validate` does.
    public static func validate(configuration: String) async throws -> (isValid: Bool, output: String) {
        let directory = try TemporaryDirectory(named: "validate")
        let file = directory.path(of: "bootstrap.yaml")
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
        let (end, output) = try await ChildProcess.run(
            [try Programs.envoy(), "--mode", "validate", "-c", file, "--disable-hot-restart", "--log-level", "warning"])
        return (end == .exited(0), output)
    }

    /// Waits until Envoy serves: its clusters are initialised and it has its listeners.
    public func awaitReady(within limit: Duration = .seconds(30)) async throws {
        try await wait("\(child.name) to be ready", within: limit) { admin in
            let answer = try await admin.get("/ready")
            return answer.status == 200 ? .met(()) : .unmet(answer.body)
        }
    }

    /// Looks at the admin interface until `look` is satisfied; errors carry the end of Envoy's log.
    @discardableResult
    public func wait<Result: Sendable>(
        _ what: String, within limit: Duration = .seconds(20),
        _ look: @escaping @Sendable (EnvoyAdmin) async throws -> Look<Result>
    ) async throws -> Result {
        do {
            return try await eventually(what, within: limit) { try await look(self.admin) }
        } catch {
            throw ProcessFailure(error, [child])
        }
    }

    /// Waits until the statistic `name` is as `condition` says.
    @discardableResult
    public func awaitStatistic(
        _ name: String, within limit: Duration = .seconds(20), _ condition: @escaping @Sendable (UInt64) -> Bool
    ) async throws -> UInt64 {
        try await wait("a value of \(name) on \(child.name)", within: limit) { admin in
            let value = try await admin.statistic(name)
            return condition(value) ? .met(value) : .unmet("\(value)")
        }
    }

    /// Waits until the active listeners are exactly those of `names`.
    public func awaitListeners(_ names: Set<String>, within limit: Duration = .seconds(20)) async throws {
        try await wait("listeners \(names.sorted()) on \(child.name)", within: limit) { admin in
            let listeners = Set(try await admin.listeners().keys)
            return listeners == names ? .met(()) : .unmet("\(listeners.sorted())")
        }
    }

    /// Waits until the hosts of `cluster` are exactly those of `addresses`.
    public func awaitHosts(of cluster: String, are addresses: Set<SocketAddress>, within limit: Duration = .seconds(20))
        async throws
    {
        try await wait("hosts \(addresses) in \(cluster) on \(child.name)", within: limit) { admin in
            let hosts = try await admin.hosts(of: cluster)
            return Set(hosts.keys) == addresses ? .met(()) : .unmet("\(hosts)")
        }
    }
}

/// An error with the last lines of the processes that it concerns.
public struct ProcessFailure: Error, CustomStringConvertible {
    /// The error itself.
    public var underlying: any Error
    /// The last lines of each process.
    public var logs: String

    /// Adds the logs of `processes` to `error`, once.
    public init(_ error: any Error, _ processes: [ChildProcess]) {
        if let failure = error as? ProcessFailure {
            underlying = failure.underlying
            let added = processes.map { $0.tail() }.filter { tail in
                !failure.logs.contains(tail.prefix { $0 != "," })
            }
            logs = ([failure.logs] + added).joined(separator: "\n")
        } else {
            underlying = error
            logs = processes.map { $0.tail() }.joined(separator: "\n")
        }
    }

    public var description: String { "\(underlying)\n\(logs)" }
}
