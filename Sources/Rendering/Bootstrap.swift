import Domain

/// What an Envoy has to be told before it can ask for the rest.
public struct BootstrapOptions: Hashable, Sendable {
    /// The form of ADS that the Envoy speaks.
    public enum API: String, Hashable, Sendable, CaseIterable {
        /// Only what changed is sent.
        case delta
        /// Every change sends the whole state of its type.
        case sotw
    }

    /// Where the Envoy finds this server.
    public var xdsAddress: ServerAddress
    /// The uid of the Envoy's pod, or its namespace/name; nil leaves it to `envoy --service-node`.
    public var nodeID: String?
    /// Envoy demands one, this server does not read it; nil leaves it to `envoy --service-cluster`.
    public var nodeCluster: String?
    /// The form of ADS.
    public var api: API
    /// The port of Envoy's admin interface on 127.0.0.1; 0 lets Envoy pick a free one, nil is no interface.
    public var adminPort: UInt16?
    /// How the Envoy speaks TLS; nil for plaintext.
    public var tls: BootstrapTLS?

    /// Makes options.
    public init(
        xdsAddress: ServerAddress, nodeID: String? = nil, nodeCluster: String? = "xds-operator", api: API = .delta,
        adminPort: UInt16? = nil, tls: BootstrapTLS? = nil
    ) {
        self.xdsAddress = xdsAddress
        self.nodeID = nodeID
        self.nodeCluster = nodeCluster
        self.api = api
        self.adminPort = adminPort
        self.tls = tls
    }
}

/// The bootstrap configuration of an Envoy of this server.
public enum Bootstrap {
    /// The bootstrap as YAML that works as printed.
    ///
    /// - `initial_fetch_timeout: 0s`: the Envoy waits until its pod is known here, rather than calling itself ready without a
    ///   listener or, as the successor in a hot restart, taking over from one that still carries calls.
    /// - The node goes with the first request of a stream only: it takes 61 KB.
    /// - `max_interval: 5s`: an Envoy tries again that often at least; by default it waits up to 30 s after a longer outage.
    /// - The keepalives find out within 15 s that the server is gone without a word.
    public static func yaml(_ options: BootstrapOptions) -> String {
        """
        # Add --drain-time-s 5 to Envoy's command line where calls come and go: a removed listener keeps its port and memory for
        # that time, 600 s by default. Add --component-log-level misc:error to leave out a warning for each UDP listener, that
        # UdpProxyConfig.matcher is work in progress.\(serviceNodeNote(options))
        \(node(options))\(admin(options))dynamic_resources:
          ads_config:
            api_type: \(options.api == .delta ? "DELTA_GRPC" : "GRPC")
            transport_api_version: V3
            set_node_on_first_message_only: true
            grpc_services:
              - envoy_grpc:
                  cluster_name: xds-operator
                  retry_policy: {retry_back_off: {base_interval: 0.5s, max_interval: 5s}}
          cds_config:
            ads: {}
            initial_fetch_timeout: 0s
            resource_api_version: V3
          lds_config:
            ads: {}
            initial_fetch_timeout: 0s
            resource_api_version: V3
        static_resources:
          clusters:
            - name: xds-operator
              \(discovery(options.xdsAddress))
              connect_timeout: 5s\(options.tls.map { $0.transportSocket(serverName: $0.serverName ?? host(options.xdsAddress)) } ?? "")
              upstream_connection_options:
                tcp_keepalive: {keepalive_probes: 3, keepalive_time: 10, keepalive_interval: 2}
              typed_extension_protocol_options:
                envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                  "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                  explicit_http_config:
                    http2_protocol_options:
                      connection_keepalive: {interval: 10s, timeout: 5s}
              load_assignment:
                cluster_name: xds-operator
                endpoints:
                  - lb_endpoints:
                      - endpoint:
                          address:
                            socket_address: {address: \(quoted(host(options.xdsAddress))), port_value: \(options.xdsAddress.port)}

        """
    }

    private static func serviceNodeNote(_ options: BootstrapOptions) -> String {
        options.nodeID == nil
            ? "\n# Add --service-node with the uid of the Envoy's pod, or its namespace/name." : ""
    }

    private static func node(_ options: BootstrapOptions) -> String {
        let lines = [options.nodeID.map { "  id: \(quoted($0))\n" }, options.nodeCluster.map { "  cluster: \(quoted($0))\n" }]
        let text = lines.compactMap(\.self).joined()
        return text.isEmpty ? "" : "node:\n\(text)"
    }

    private static func admin(_ options: BootstrapOptions) -> String {
        guard let port = options.adminPort else { return "" }
        return """
            admin:
              address:
                socket_address: {address: 127.0.0.1, port_value: \(port)}

            """
    }

    private static func discovery(_ address: ServerAddress) -> String {
        switch address.host {
        case .address: "type: STATIC"
        // AUTO prefers IPv6 and finds only ::1 for localhost.
        case .name: "type: STRICT_DNS\n      dns_lookup_family: V4_PREFERRED"
        }
    }

    private static func host(_ address: ServerAddress) -> String {
        switch address.host {
        case .address(let address): address.text
        case .name(let name): name.text
        }
    }

    /// `text` as a double-quoted YAML scalar in ASCII.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case " "..."~": result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
