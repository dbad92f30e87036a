public import ArgumentParser
public import ControlPlane
import Kubernetes
import Logging
import Transport

/// Options of who may use the xDS port, and how it is spoken to.
struct AccessOptions: ParsableArguments {
    @Option(help: "The server's certificate, and those that lead to its authority, in PEM: turns TLS on. Followed as it changes.")
    var xdsTlsCert: String?
    @Option(help: "The private key of --xds-tls-cert, in PEM.")
    var xdsTlsKey: String?
    @Option(help: "The authorities of client certificates, in PEM: every client must show one that belongs to its pod.")
    var xdsTlsClientCa: String?
    @Option(
        name: .customLong("xds-identity"),
        help: "Which names of a client certificate count: spiffe, dns or uid; repeatable, by default all.")
    var identityForms: [IdentityRules.Form] = []
    @Option(help: "The only SPIFFE trust domain that counts; by default all that the authorities sign.")
    var xdsTrustDomain: String?
    @Flag(help: "Accept service account tokens of pods in the authorization metadata, and ask the API server whose they are.")
    var xdsTokenReview = false
    @Option(
        name: .customLong("xds-token-audience"), help: "Whom tokens must be meant for; repeatable, by default xds-operator.")
    var tokenAudiences: [String] = []
    @Option(
        name: .customLong("xds-admin-identity"),
        help: "A name in a certificate, or of a user, that may use what is not for Envoys; repeatable.")
    var administrators: [String] = []
    @Option(help: "Seconds after which a connection is made anew, give or take a tenth; 0 for never.")
    var xdsMaxConnectionAge = 3600

    func validate() throws {
        guard (xdsTlsCert == nil) == (xdsTlsKey == nil) else {
            throw ValidationError("give both --xds-tls-cert and --xds-tls-key, or neither")
        }
        if xdsTlsClientCa != nil, xdsTlsCert == nil {
            throw ValidationError("--xds-tls-client-ca needs --xds-tls-cert and --xds-tls-key")
        }
        if xdsTlsClientCa == nil, !identityForms.isEmpty || xdsTrustDomain != nil {
            throw ValidationError("--xds-identity and --xds-trust-domain are about client certificates: give --xds-tls-client-ca")
        }
        if !xdsTokenReview, !tokenAudiences.isEmpty { throw ValidationError("--xds-token-audience needs --xds-token-review") }
        if !isOn, !administrators.isEmpty {
            throw ValidationError("--xds-admin-identity needs --xds-tls-client-ca or --xds-token-review")
        }
        guard xdsMaxConnectionAge == 0 || (2...31_536_000).contains(xdsMaxConnectionAge) else {
            throw ValidationError("--xds-max-connection-age must be 0, or from 2 to 31536000 seconds")
        }
    }

    /// Whether clients must prove who they are.
    var isOn: Bool { xdsTlsClientCa != nil || xdsTokenReview }

    var maximumConnectionAge: Duration? { xdsMaxConnectionAge == 0 ? nil : .seconds(xdsMaxConnectionAge) }

    /// What TLS rests on; nil for plaintext.
    func credentials(metrics: TLSMetrics) throws -> TLSCredentials? {
        guard let xdsTlsCert, let xdsTlsKey else { return nil }
        return try TLSCredentials(
            TLSFiles(certificate: xdsTlsCert, key: xdsTlsKey, clientAuthorities: xdsTlsClientCa), metrics: metrics,
            logger: Logger(label: "tls"))
    }

    /// What finds out whose tokens are; nil where they don't count.
    func reviewer(client: (any APIClient)?, metrics: AccessMetrics) throws -> TokenReviewer? {
        guard xdsTokenReview else { return nil }
        guard let client else { throw ValidationError("--xds-token-review needs a cluster, whose API server knows the tokens") }
        return TokenReviewer(
            client: client, audiences: tokenAudiences.isEmpty ? ["xds-operator"] : tokenAudiences, metrics: metrics,
            logger: Logger(label: "access"))
    }

    /// What decides who may do what; nil where everybody may everything.
    func control(reviewer: TokenReviewer?, metrics: AccessMetrics) -> AccessControl? {
        guard isOn else { return nil }
        let forms = identityForms.isEmpty ? Set(IdentityRules.Form.allCases) : Set(identityForms)
        return AccessControl(
            rules: IdentityRules(forms: forms, trustDomain: xdsTrustDomain, administrators: Set(administrators)),
            reviewer: reviewer, metrics: metrics, logger: Logger(label: "access"))
    }

    /// Says what the port does not protect.
    func warn(_ logger: Logger) {
        if !isOn {
            logger.warning(
                "the xDS port is open: whoever reaches it can read the configuration of any Envoy; give --xds-tls-client-ca")
        }
        if xdsTlsCert == nil {
            logger.warning(
                "the xDS port speaks plaintext: whoever is on the way can read and change the configuration of Envoys, and copy tokens"
            )
        }
    }
}

extension IdentityRules.Form: ExpressibleByArgument {}
