import Foundation
import Glibc

/// The namespaces of this process.
public enum Namespaces {
    private static let mark = "XDS_OPERATOR_OWN_NAMESPACES"

    private static var wrapper: [String] {
        let user = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        return ["/usr/bin/unshare"] + user + ["--net", "--mount", "--propagation", "private", "--"]
    }

    /// Whether this system lets us make them, and TUN devices in them.
    public static func areAvailable() async -> Bool {
        let attempt = try? await ChildProcess.run(
            wrapper + ["/bin/sh", "-c", "mount -t tmpfs none /mnt && ip tuntap add dev probe mode tun"])
        return attempt?.end == .exited(0)
    }

    /// Starts this program anew, with the same arguments, in network and mount namespaces of its own; returns when it is in them.
    ///
    /// Needs root, or a system on which users may make namespaces.
    public static func enter() throws {
        guard ProcessInfo.processInfo.environment[mark] == nil else { return }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let command =
            wrapper + ["/bin/sh", "-c"]
            + ["ip link set lo up && exec \"$0\" \"$@\"", own] + CommandLine.arguments.dropFirst()
        setenv(mark, "1", 1)
        let arguments = command.map { strdup($0) } + [nil]
        execv(command[0], arguments)
        throw SystemError("start \(command[0])")
    }
}
