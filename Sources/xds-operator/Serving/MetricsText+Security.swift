import ControlPlane
import Transport

/// What TLS and access control count.
struct SecurityMetrics {
    let tls = TLSMetrics()
    let access = AccessMetrics()

    /// The families, for `MetricsText`.
    var counters: [(name: String, help: String, values: [(labels: String, value: Int)])] {
        [
            (
                "tls_handshakes_total", "TLS handshakes on the xDS port.",
                [("{result=\"completed\"}", tls.handshakeCount), ("{result=\"refused\"}", tls.refusalCount)]
            ),
            (
                "tls_reloads_total", "Times that the TLS files had changed.",
                [("{result=\"used\"}", tls.reloadCount), ("{result=\"failed\"}", tls.failedReloadCount)]
            ),
            ("access_allowed_total", "RPCs whose client has shown that they are for it.", [("", access.allowedCount)]),
            (
                "access_denied_total", "RPCs that were refused to a client.",
                IdentityRules.Denial.allCases.map { ("{reason=\"\($0.rawValue)\"}", access.denials($0)) }
            ),
            (
                "token_reviews_total", "Tokens that the API server was asked about.",
                [
                    ("{result=\"answered\"}", access.reviewCount - access.failedReviewCount),
                    ("{result=\"failed\"}", access.failedReviewCount),
                ]
            ),
        ]
    }

    /// When the server's certificate expires; nil without one.
    var certificateExpiry: Int? { tls.certificateExpiry == 0 ? nil : Int(tls.certificateExpiry) }
}
