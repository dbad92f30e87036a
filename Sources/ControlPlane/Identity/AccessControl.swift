import Domain
import GRPC
public import Logging

/// Decides who may use which RPC: every one is refused to clients that have not shown that it is for them.
public final class AccessControl: Sendable {
    let rules: IdentityRules
    /// Finds out whose tokens are; nil where tokens don't count.
    let reviewer: TokenReviewer?
    private let metrics: AccessMetrics
    private let audit: AuditLog

    /// Makes a guard.
    public init(rules: IdentityRules, reviewer: TokenReviewer? = nil, metrics: AccessMetrics, logger: Logger) {
        self.rules = rules
        self.reviewer = reviewer
        self.metrics = metrics
        audit = AuditLog(logger)
    }

    /// Counts and logs a decision, and returns the status to refuse with; nil when the client may.
    ///
    /// The status says nothing that the client has not said itself; the log says all.
    func refusal(_ verdict: IdentityRules.Verdict, _ request: RPCRequest, pod: Pod? = nil, detail: String? = nil) -> Status? {
        guard case .denied(let denial) = verdict else {
            metrics.wasAllowed()
            return nil
        }
        metrics.wasDenied(denial)
        let client = request.client
        let shown = (client.map { $0.uris + $0.dnsNames } ?? []) + (client?.account.map { [$0.username] } ?? [])
        let names = shown.isEmpty ? "nothing that names it" : shown.prefix(8).joined(separator: ", ")
        var metadata: Logger.Metadata = [
            "peer": "\(request.peer)", "method": "\(request.path.prefix(200))", "reason": "\(denial.rawValue)",
            "shown": "\(names.prefix(1000))",
        ]
        if let pod { metadata["pod"] = "\(pod.key), uid \(pod.metadata.uid), service account \(pod.serviceAccount)" }
        if let detail { metadata["detail"] = "\(detail.prefix(500))" }
        audit.refused("a client is refused", metadata)
        return status(denial, names: String(names.prefix(500)))
    }

    private func status(_ denial: IdentityRules.Denial, names: String) -> Status {
        switch denial {
        case .anonymous:
            let how = reviewer == nil ? "a client certificate" : "a client certificate, or a token in the authorization metadata"
            return Status(.unauthenticated, "this server wants to know who asks: show \(how)")
        case .badToken: return Status(.unauthenticated, "the token in the authorization metadata is not accepted")
        case .otherPod:
            return Status(.permissionDenied, "the client has shown \(names): that does not belong to the pod that node.id names")
        case .notAdministrator:
            return Status(.permissionDenied, "the client has shown \(names): it is not among the administrators of this server")
        case .undecided: return Status(.unavailable, "who asks can't be found out at the moment: try again")
        }
    }
}

/// What a discovery stream needs to know whether it may be served.
struct StreamAccess: Sendable {
    private let control: AccessControl
    private let request: RPCRequest

    init(_ control: AccessControl, _ request: RPCRequest) {
        self.control = control
        var request = request
        // The log wants none of it, and a token should live no longer than it must.
        request.metadata = []
        self.request = request
    }

    /// What was decided.
    enum Decision {
        /// The client may, because of this name.
        case admitted(by: String)
        /// It may not, and is told so.
        case refused(Status)
    }

    /// Whether the client may have the configuration of `pod`, which is nil if it has just gone.
    func decision(for pod: Pod?) -> Decision {
        let verdict = pod.map { control.rules.verdict(request.client, for: $0) } ?? .denied(.undecided)
        if let status = control.refusal(verdict, request, pod: pod) { return .refused(status) }
        guard case .allowed(let name) = verdict else { return .refused(Status(.internal, "undecided")) }
        return .admitted(by: name)
    }
}
