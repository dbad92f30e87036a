/// Where and how a process runs: in which namespace, under which limits, with which clock.
public struct Placement: Sendable {
    /// The address on which it serves.
    public var host = "127.0.0.1"
    /// A program with arguments that replaces itself by the one whose command follows, such as `prlimit --nofile=64`.
    public var wrapper: [String] = []
    /// Variables added to those of this process.
    public var environment: [String: String] = [:]

    /// As any process: on loopback, without a wrapper.
    public init() {}
}
