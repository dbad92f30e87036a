/// Which API server to talk to, and how to prove who we are. Made by ``Kubeconfig`` or ``InCluster``.
public struct ClusterConfiguration: Sendable, Equatable {
    /// Bytes that a configuration holds itself, or names a file for.
    public enum Content: Sendable, Equatable {
        case inline([UInt8])
        /// Read again from time to time: such files rotate.
        case file(String)
    }

    /// The server's base URL.
    public var server: ServerURL
    /// The certificates that may have signed the server's, in PEM; nil for the system's.
    public var authority: Content?
    /// Whether any server certificate is believed.
    public var isInsecure = false
    /// The name to ask for and to verify instead of the URL's host.
    public var tlsServerName: String?
    /// The proxy's URL; nil for what the environment says.
    public var proxy: String?
    /// Who we are.
    public var user = UserConfiguration()
    /// The namespace of the context or of the service account; nil where none is given.
    public var namespace: String?

    /// Makes a configuration without credentials.
    public init(server: ServerURL) { self.server = server }
}

/// How to prove who we are. What is given first in the order of the members wins for the `Authorization` field; a certificate goes with any.
public struct UserConfiguration: Sendable, Equatable {
    /// A bearer token, from the configuration or a file.
    public var token: ClusterConfiguration.Content?
    /// A program that makes tokens or certificates.
    public var exec: ExecConfiguration?
    /// Name and password.
    public var basic: String?
    /// Our certificate in PEM.
    public var certificate: ClusterConfiguration.Content?
    /// Our key in PEM.
    public var key: ClusterConfiguration.Content?

    /// Makes credentials of none.
    public init() {}
}

/// Why a configuration of the connection can't be used.
public struct ClusterConfigurationError: Error, CustomStringConvertible {
    /// What is wrong, where, and what to do.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The base URL of an API server.
public struct ServerURL: Sendable, Hashable, CustomStringConvertible {
    /// `https` or `http`.
    public let scheme: String
    /// A name or an IP address, IPv6 without brackets.
    public let host: String
    /// The port.
    public let port: UInt16
    /// What stands before the paths of requests; empty or beginning with a slash, without one at its end.
    public let basePath: String

    /// Makes the URL of a server.
    public init(scheme: String = "https", host: String, port: UInt16, basePath: String = "") {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.basePath = basePath
    }

    /// Reads `https://HOST[:PORT][/PATH]`; nil when `text` is none.
    public init?(_ text: String) {
        let lower = text.lowercased()
        guard let scheme = ["https", "http"].first(where: { lower.hasPrefix("\($0)://") }) else { return nil }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.last == "/" { path.removeLast() }
        guard !authority.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !authority.contains("@"),
            !path.contains("?"), !path.contains("#")
        else { return nil }
        var (host, portText) = (authority, Substring(scheme == "https" ? "443" : "80"))
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            if !after.isEmpty { portText = after.dropFirst() }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
            guard !host.contains(":") else { return nil }
        }
        guard !host.isEmpty, let port = UInt16(portText), port > 0 else { return nil }
        self.init(scheme: scheme, host: String(host), port: port, basePath: String(path))
    }

    /// Host and port as URLs have them: IPv6 in brackets.
    public var authority: String { ServerURL.authority(host, port) }

    public var description: String { "\(scheme)://\(authority)\(basePath)" }

    static func authority(_ host: String, _ port: UInt16) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
