import Kubernetes

/// Everything that one transfer needs, credentials included.
struct CurlRequest: Sendable {
    /// The server's certificate, and ours.
    struct TLS: Sendable {
        /// The certificates that may have signed the server's, in PEM; nil for the system's.
        var authority: [UInt8]?
        /// Whether any server is believed.
        var isInsecure = false
        /// Our certificate in PEM.
        var certificate: [UInt8]?
        /// Our key in PEM.
        var key: [UInt8]?
    }

    var method = "GET"
    var url: String
    /// Where to connect instead of the host and port of the URL, as `HOST:PORT`.
    var connectTo: String?
    var headers: [String]
    var body: [UInt8] = []
    var proxy: String?
    var tls = TLS()
    var connectTimeout: Duration
    /// How long the whole transfer may take; nil without a limit.
    var timeout: Duration?
    /// Whether to open a new connection even where one could be used again, because that one may be half-open.
    var isFresh = false
}
