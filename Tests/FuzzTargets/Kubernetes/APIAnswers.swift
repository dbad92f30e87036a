import Kubernetes

/// Bodies of other answers of the API server, and what programs write that make credentials.
enum APIAnswers {
    private static let statuses = [200, 201, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503, 504, 302]

    /// The first byte chooses the HTTP status.
    ///
    /// The rules: a token is nobody's unless the answer says whose; delays have bounds; a body that is no answer does not matter.
    static func run(_ bytes: [UInt8]) {
        let status = statuses[Int(bytes.first ?? 0) % statuses.count]
        let body = Array(bytes.dropFirst())
        JSONTexts.rewrite(body)
        review(body)
        let text = String(decoding: body.prefix(64), as: UTF8.self)
        let refusal = APIStatus(httpStatus: status, retryAfter: text, body: body)
        expect(refusal.code == status, "a status is not that of the answer")
        _ = (refusal.isExpired, refusal.isVersionTooLarge, refusal.description)
        for hasTests in [false, true] {
            let response = APIResponse(status: status, headers: [("Retry-After", text)], body: body)
            if case .unavailable(let after?, _) = WriteOutcome(response, hasTests: hasTests) {
                expect((.zero ... .seconds(3600)).contains(after), "a delay has no bounds")
            }
        }
        for lease in [LeaseRequests.lease(body)].compactMap(\.self) + (LeaseRequests.leases(body) ?? []) {
            expect((0..<Int(Int32.max)).contains(lease.record.transitions), "a count of transitions can't be raised")
        }
    }

    private static func review(_ body: [UInt8]) {
        for audiences in [[], ["xds-operator"]] {
            guard case .authenticated(let username, _) = TokenReview.outcome(body, audiences: audiences) else { continue }
            expect(!username.isEmpty, "a token is somebody's who has no name")
            let status = (try? JSONParser.parse(body))?["status"]
            expect(status?["authenticated"] == FieldValue(.bool(true)), "a token is good that the API server does not know")
        }
        _ = TokenReview.expiry(ofToken: String(decoding: body, as: UTF8.self))
    }
}
