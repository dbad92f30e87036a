import Kubernetes
import Testing

@Suite struct WriteOutcomeTests {
    struct Case: Sendable {
        let status: Int
        var body = ""
        var headers: [String: String] = [:]
        var hasTests = false
        let expected: WriteOutcome
    }

    @Test(arguments: [
        Case(status: 200, body: #"{"metadata":{"resourceVersion":"7"}}"#, expected: .written(resourceVersion: "7")),
        Case(status: 201, body: "nonsense", expected: .written(resourceVersion: nil)),
        Case(status: 200, body: "", expected: .written(resourceVersion: nil)),
        Case(
            status: 200,
            body: #" {"a":{"metadata":{"resourceVersion":"1"}},"b":["]}\"",2,true,null],"c":"\"","#
                + #" "metadata": {"managedFields":[{"resourceVersion":"2"}],"resourceVersion" : "8","x":1},"z":nonsense"#,
            expected: .written(resourceVersion: "8")),
        Case(status: 200, body: #"{"metadata":{"resourceVersion":7}}"#, expected: .written(resourceVersion: nil)),
        Case(status: 200, body: #"{"metadata":null,"resourceVersion":"7"}"#, expected: .written(resourceVersion: nil)),
        Case(status: 200, body: #"{"metadata":{"resourceVersion":"7"#, expected: .written(resourceVersion: nil)),
        Case(status: 409, expected: .conflict),
        Case(status: 422, body: status("test failed"), hasTests: true, expected: .conflict),
        Case(status: 422, body: status("too long"), expected: .refused("too long")),
        Case(status: 404, body: status(#"virtualservices "x" not found"#), expected: .gone),
        Case(
            status: 404, body: status("the server could not find the requested resource"),
            expected: .unsupported("the server could not find the requested resource")),
        Case(
            status: 500, body: status("failed to create typed patch object: .status.replicas: field not declared in schema"),
            expected: .unsupported("failed to create typed patch object: .status.replicas: field not declared in schema")),
        Case(status: 500, body: status("etcd"), expected: .unavailable(after: nil, "etcd")),
        Case(status: 429, headers: ["Retry-After": "3"], expected: .unavailable(after: .seconds(3), "HTTP 429")),
        Case(
            status: 429, body: #"{"kind":"Status","message":"slow","details":{"retryAfterSeconds":2}}"#,
            expected: .unavailable(after: .seconds(2), "slow")),
        Case(status: 403, body: status("no"), expected: .forbidden("no")),
        Case(status: 401, expected: .forbidden("HTTP 401")),
        Case(status: 400, expected: .refused("HTTP 400")),
    ])
    func outcome(_ test: Case) {
        let response = APIResponse(
            status: test.status, headers: test.headers.map { ($0.key, $0.value) }, body: Array(test.body.utf8))
        #expect(WriteOutcome(response, hasTests: test.hasTests) == test.expected)
    }

    private static func status(_ message: String) -> String {
        #"{"kind":"Status","message":"\#(message.replacing("\"", with: "\\\""))"}"#
    }
}
