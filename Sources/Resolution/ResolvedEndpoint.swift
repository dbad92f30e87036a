public import Domain

/// One host of a cluster after selectors have been resolved.
public struct ResolvedEndpoint: Hashable, Sendable {
    /// What the control plane knows of the host; Envoy's own health checks come on top.
    public enum Health: Hashable, Sendable {
        /// May get new sessions.
        case healthy
        /// Keeps its sessions, gets no new ones while a healthy host is there (a terminating pod).
        case degraded
        /// Gets nothing (a pod that is not ready).
        case unhealthy
    }

    /// Where the host is reached.
    public enum Host: Hashable, Sendable {
        case address(IPAddress)
        case name(DNSName)
    }

    /// Where the host is reached.
    public var host: Host
    /// The port to which is forwarded.
    public var port: PortNumber
    /// The TCP port of health checks; nil checks `port`.
    public var healthCheckPort: PortNumber?
    /// What the control plane knows of the host.
    public var health: Health

    /// Makes a resolved endpoint.
    public init(host: Host, port: PortNumber, healthCheckPort: PortNumber? = nil, health: Health = .healthy) {
        self.host = host
        self.port = port
        self.healthCheckPort = healthCheckPort
        self.health = health
    }
}
