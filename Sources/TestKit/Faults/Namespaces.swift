import Foundation
import Glibc

/// The namespaces of this process.
public enum Namespaces {
    private static let mark = "XDS_OPERATOR_OWN_NAMESPACES"

    /// Starts this program anew, with the same arguments, in network and mount namespaces of its own; returns when it is in them.
    ///
    /// Needs root, or a system on which users may make namespaces.
    public static func enter() throws {
        guard ProcessInfo.processInfo.environment[mark] == nil else { return }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let user = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        let command =
            ["/usr/bin/unshare"] + user + ["--net", "--mount", "--propagation", "private", "--", "/bin/sh", "-c"]
            + ["ip link set lo up && exec \"$0\" \"$@\"", own] + CommandLine.arguments.dropFirst()
        setenv(mark, "1", 1)
        let arguments = command.map { strdup($0) } + [nil]
        execv(command[0], arguments)
        throw SystemError("start \(command[0])")
    }
}
