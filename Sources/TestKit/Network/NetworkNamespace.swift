import CNamespaces
import Glibc

/// A network namespace of its own, which goes with the last reference and the last process in it. Needs the rights of root in the user namespace.
public final class NetworkNamespace: Sendable {
    private let handle: Descriptor

    /// Makes one whose loopback interface is up.
    public init() async throws {
        let made = Observed<Result<Descriptor, any Error>?>(nil)
        try startThread {
            let result = Result {
                guard unshare(NAMESPACES_NETWORK) == 0 else { throw SystemError("unshare") }
                return try Descriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace")
            }
            made.update { $0 = result }
        }
        handle = try await made.wait(for: "a network namespace", within: .seconds(20)) { $0 }.get()
        try await run(["ip", "link", "set", "lo", "up"])
    }

    /// Put before a command, runs it in here.
    public var wrapper: [String] { ["/usr/bin/nsenter", "--net=/proc/\(getpid())/fd/\(handle.number)", "--"] }

    /// Runs a command in here, which must succeed.
    public func run(_ command: [String]) async throws {
        try await Self.run(wrapper + ["/usr/bin/env"] + command)
    }

    /// Runs a command, which must succeed.
    static func run(_ command: [String]) async throws {
        let (end, output) = try await ChildProcess.run(command)
        guard end == .exited(0) else { throw EndedEarly(name: command.joined(separator: " "), what: "success", output: output) }
    }

    /// Makes the TUN device `name` in here.
    func tun(_ name: String) async throws -> Descriptor {
        let (handle, made) = (handle, Observed<Result<Descriptor, any Error>?>(nil))
        // A namespace is the thread's, and this thread ends at once.
        try startThread {
            let result = Result {
                guard setns(handle.number, NAMESPACES_NETWORK) == 0 else { throw SystemError("setns") }
                return try Descriptor(namespaces_open_tun(name), "make the TUN device \(name)")
            }
            made.update { $0 = result }
        }
        return try await made.wait(for: "a TUN device", within: .seconds(20)) { $0 }.get()
    }
}
