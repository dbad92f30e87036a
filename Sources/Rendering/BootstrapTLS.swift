/// How an Envoy speaks TLS to this server: its certificates are files that it follows, so that it never has to be restarted for new ones.
///
/// Envoy follows files only of secrets that it gets by SDS, so the bootstrap names two small resource files (path_config_source), and
/// these name the certificates. The watched directory is where a link is swapped, or a file renamed, when they change (Kubernetes' `..data`).
public struct BootstrapTLS: Hashable, Sendable {
    /// The directory that has `ca.crt`, and `tls.crt` and `tls.key`, as the Envoy sees it.
    public var certificateDirectory: String
    /// The directory of the resource files, as the Envoy sees it.
    public var resourceDirectory: String
    /// The DNS name, or the address, that the server's certificate must have; nil for the host that the Envoy connects to.
    public var serverName: String?
    /// Whether the Envoy shows a certificate of its own.
    public var showsCertificate: Bool

    /// Makes options.
    public init(
        certificateDirectory: String, resourceDirectory: String, serverName: String? = nil, showsCertificate: Bool = true
    ) {
        self.certificateDirectory = certificateDirectory
        self.resourceDirectory = resourceDirectory
        self.serverName = serverName
        self.showsCertificate = showsCertificate
    }

    private var trustFile: String { "\(resourceDirectory)/xds-trust.yaml" }
    private var certificateFile: String { "\(resourceDirectory)/xds-certificate.yaml" }

    /// The resource files that the bootstrap refers to.
    public var resourceFiles: [(path: String, text: String)] {
        let directory = Bootstrap.quoted(certificateDirectory)
        func file(_ name: String) -> String { "{filename: \(Bootstrap.quoted("\(certificateDirectory)/\(name)"))}" }
        func secret(_ name: String, _ content: String) -> String {
            """
            resources:
              - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
                name: \(name)
            \(content)

            """
        }
        let trust = secret(
            "xds_trust",
            """
                validation_context:
                  trusted_ca: \(file("ca.crt"))
                  watched_directory: {path: \(directory)}
            """)
        guard showsCertificate else { return [(trustFile, trust)] }
        let certificate = secret(
            "xds_certificate",
            """
                tls_certificate:
                  certificate_chain: \(file("tls.crt"))
                  private_key: \(file("tls.key"))
                  watched_directory: {path: \(directory)}
            """)
        return [(trustFile, trust), (certificateFile, certificate)]
    }

    /// The part of the cluster, with a line break before it.
    ///
    /// - TLS 1.3 is not Envoy's choice unless it is told so.
    /// - The name is checked against the DNS names of the certificate, or its addresses when it is one.
    func transportSocket(serverName: String) -> String {
        let isAddress = serverName.contains(":") || serverName.allSatisfy { $0.isNumber || $0 == "." }
        let certificate =
            showsCertificate
            ? """

                        tls_certificate_sds_secret_configs:
                          - name: xds_certificate
                            sds_config:
                              resource_api_version: V3
                              path_config_source: {path: \(Bootstrap.quoted(certificateFile))}
            """ : ""
        return """

                  transport_socket:
                    name: envoy.transport_sockets.tls
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                      \(isAddress ? "" : "sni: \(Bootstrap.quoted(serverName))\n          ")common_tls_context:
                        alpn_protocols: [h2]
                        tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3}
                        combined_validation_context:
                          default_validation_context:
                            match_typed_subject_alt_names:
                              - san_type: \(isAddress ? "IP_ADDRESS" : "DNS")
                                matcher: {exact: \(Bootstrap.quoted(serverName))}
                          validation_context_sds_secret_config:
                            name: xds_trust
                            sds_config:
                              resource_api_version: V3
                              path_config_source: {path: \(Bootstrap.quoted(trustFile))}\(certificate)
            """
    }
}
