import Kubernetes
import Testing

@Suite struct TokenReviewTests {
    @Test func theRequest() throws {
        let request = TokenReview.request(token: "a\"b", audiences: ["x", "y"])
        #expect(request.method == .post)
        #expect(request.path == "/apis/authentication.k8s.io/v1/tokenreviews")
        let spec = try JSONParser.parse(request.body)["spec"]
        #expect(spec?["token"]?.text == "a\"b")
        #expect(spec?["audiences"]?.elements?.compactMap(\.text) == ["x", "y"])
    }

    private func outcome(_ status: String, _ audiences: [String] = ["x"]) -> TokenReview.Outcome? {
        TokenReview.outcome(Array("{\"status\":\(status)}".utf8), audiences: audiences)
    }

    @Test func answers() {
        let user = #""user":{"username":"u","extra":{"authentication.kubernetes.io/pod-uid":["p"]}}"#
        #expect(
            outcome("{\"authenticated\":true,\"audiences\":[\"x\"],\(user)}") == .authenticated(username: "u", podUID: "p"))
        #expect(
            outcome(#"{"authenticated":true,"audiences":["z","x"],"user":{"username":"u"}}"#)
                == .authenticated(username: "u", podUID: ""))
        #expect(outcome("{\"authenticated\":true,\(user)}", []) == .authenticated(username: "u", podUID: "p"))
        #expect(outcome("{\"authenticated\":true,\(user)}") == .rejected(reason: "the token is not meant for x"))
        #expect(
            outcome("{\"authenticated\":true,\"audiences\":[\"z\"],\(user)}", ["x", "y"])
                == .rejected(reason: "the token is not meant for x or y"))
        #expect(outcome("{\"authenticated\":false,\"error\":\"e\",\(user)}") == .rejected(reason: "e"))
        #expect(outcome("{\(user)}") == .rejected(reason: "the API server does not know the token"))
        #expect(outcome(#"{"authenticated":"true","audiences":["x"]}"#) != .authenticated(username: "", podUID: ""))
        #expect(outcome(#"{"authenticated":true,"audiences":["x"],"user":{}}"#) == nil)
        #expect(outcome("[]") == nil)
        #expect(TokenReview.outcome(Array("{".utf8), audiences: []) == nil)
    }

    /// Payloads by RFC 4648 section 5: `{"exp":1700000000}` and others.
    @Test(
        arguments: [
            ("h.eyJleHAiOjE3MDAwMDAwMDB9.s", 1_700_000_000), ("h.eyJleHAiOjE3MDAwMDAwMDB9", nil), ("h.e30.s", nil), ("", nil),
            ("h.eyJleHAiOiIxIn0.s", nil), ("h.*.s", nil), ("h..s", nil), ("h.eyJzdWIiOiLDvyIsImV4cCI6Mn0.s", 2),
        ] as [(String, Int64?)])
    func expiry(token: String, expected: Int64?) {
        #expect(TokenReview.expiry(ofToken: token) == expected)
    }
}
