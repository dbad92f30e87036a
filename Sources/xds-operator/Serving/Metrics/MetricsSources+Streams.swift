import ControlPlane
import Observability
import Transport
import XDS

extension MetricsSources {
    /// What Envoys' streams do.
    func writeStreams(to writer: inout MetricsWriter) {
        writer.gauge(
            "streams", "Envoy streams open, by form and service.",
            streams.openStreamsByKind.map { .init($0.count, ["form": $0.form, "service": $0.service]) })
        writer.gauge("streams_behind", "Envoy streams with something unanswered.", .init(streams.streamsBehind))
        writer.counter("pushes", "Responses sent to Envoys.", .init(streams.pushCount))
        writer.counter("push_bytes", "Bytes of responses sent to Envoys.", .init(streams.pushedBytes))
        writer.histogram(
            "push_latency_seconds",
            "From the news of a change to the moment when it was handed to an Envoy's connection (sent), or when the Envoy had "
                + "acknowledged everything (acknowledged).",
            [
                (["stage": "sent"], streams.sendLatency), (["stage": "acknowledged"], streams.acknowledgementLatency),
            ])
        writer.counter(
            "rejections", "Responses that Envoys rejected, by type.",
            ResourceType.allCases.map { .init(streams.rejections($0), ["type": "\($0)"]) })
    }

    /// Who was let in.
    func writeSecurity(to writer: inout MetricsWriter) {
        writer.counter(
            "tls_handshakes", "TLS handshakes.", .init(tls.handshakeCount, ["result": "completed"]),
            .init(tls.refusalCount, ["result": "refused"]))
        writer.counter(
            "tls_reloads", "Certificate files that changed.", .init(tls.reloadCount, ["result": "used"]),
            .init(tls.failedReloadCount, ["result": "failed"]))
        if tls.certificateExpiry > 0 {
            writer.gauge(
                "tls_certificate_expiry_timestamp_seconds", "When the server's certificate expires.",
                .init(Int(tls.certificateExpiry)))
        }
        writer.counter("access_allowed", "RPCs whose client may have what it asked for.", .init(access.allowedCount))
        writer.counter(
            "access_denied", "RPCs refused because of who the client is.",
            IdentityRules.Denial.allCases.map { .init(access.denials($0), ["reason": "\($0.rawValue)"]) })
        writer.counter(
            "token_reviews", "Tokens that the API server was asked about.",
            .init(access.reviewCount - access.failedReviewCount, ["result": "answered"]),
            .init(access.failedReviewCount, ["result": "failed"]))
    }
}
