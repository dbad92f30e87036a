public import GRPC
import Transport

/// Lets RPCs pass to another router once it is known who asks.
///
/// Health checks pass always: they tell nothing but whether the server is ready, and probes have no identity. Discovery RPCs pass
/// when the client has shown anything at all; which pod's configuration it may have is decided when it has named one. Everything
/// else, whatever it is, is for administrators.
public final class GuardedRouter: RPCRouter {
    private let inner: any RPCRouter
    private let access: AccessControl

    /// Guards `inner`.
    public init(_ inner: any RPCRouter, access: AccessControl) {
        self.inner = inner
        self.access = access
    }

    public func route(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        if HealthStream.Method(rawValue: request.path) != nil { return inner.route(request, responder) }
        if let reviewer = access.reviewer, let token = Self.token(request.metadata) {
            return review(token, by: reviewer, request, responder)
        }
        return admit(request, responder)
    }

    private func review(
        _ token: String, by reviewer: TokenReviewer, _ request: RPCRequest, _ responder: any RPCResponder
    ) -> RPCRoute {
        guard let loop = responder.executor as? EventLoop else {
            return .reject(Status(.internal, "the connection is on a loop that serves no streams"))
        }
        let pending = PendingReceiver(responder)
        let isQueued = reviewer.review(token) { [self] review in
            loop.submit { pending.assumeIsolated { $0.resolve(self.route(request, responder, after: review)) } }
        }
        guard isQueued else { return .reject(refused(.undecided, request, "too many tokens wait for their review")) }
        return .accept(pending)
    }

    private func route(
        _ request: RPCRequest, _ responder: any RPCResponder, after review: TokenReviewer.Review
    ) -> RPCRoute {
        switch review {
        case .account(let account):
            var request = request
            request.client = request.client ?? ClientIdentity(account: nil)
            request.client?.account = account
            return admit(request, responder)
        case .rejected(let reason): return .reject(refused(.badToken, request, reason))
        case .failed(let reason): return .reject(refused(.undecided, request, reason))
        }
    }

    private func admit(_ request: RPCRequest, _ responder: any RPCResponder) -> RPCRoute {
        if DiscoveryMethod(path: request.path) != nil {
            let isAnonymous = request.client.map { !$0.hasCertificate && $0.account == nil } ?? true
            return isAnonymous ? .reject(refused(.anonymous, request, nil)) : inner.route(request, responder)
        }
        let verdict = access.rules.administratorVerdict(request.client)
        return access.refusal(verdict, request).map(RPCRoute.reject) ?? inner.route(request, responder)
    }

    private func refused(_ denial: IdentityRules.Denial, _ request: RPCRequest, _ detail: String?) -> Status {
        access.refusal(.denied(denial), request, detail: detail) ?? Status(.internal, "refused")
    }

    /// The token of `authorization: Bearer TOKEN` (RFC 6750 section 2.1); nil without one.
    static func token(_ metadata: [(name: String, value: String)]) -> String? {
        guard let value = metadata.first(where: { $0.name == "authorization" })?.value else { return nil }
        let words = value.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}
