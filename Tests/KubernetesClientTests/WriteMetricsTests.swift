import Domain
import Kubernetes
import KubernetesClient
import Testing

@Suite struct WriteMetricsTests {
    /// Answers every request alike.
    private struct Answering: APIClient {
        var answer: Result<APIResponse, APITransportError>

        func send(_ request: APIRequest) async throws -> APIResponse { try answer.get() }
    }

    private static let key = ObjectKey(namespace: "ns", name: "a")

    struct Write: CustomTestStringConvertible, Sendable {
        let request: APIRequest
        let kind: WriteMetrics.Kind?
        var testDescription: String { "\(request.method.rawValue) \(request.path)" }
    }

    static let writes = [
        Write(request: APIRequest(.patch, APIPath.virtualServiceStatus(key)), kind: .status),
        Write(
            request: APIRequest(.patch, APIPath.virtualService(key), contentType: "application/json-patch+json"), kind: .finalizer
        ),
        Write(request: APIRequest(.put, APIPath.lease(key)), kind: .lease),
        Write(request: APIRequest(.post, APIPath.leases(namespace: "ns")), kind: .lease),
        Write(request: APIRequest(.post, APIPath.events(namespace: "ns")), kind: .event),
        Write(request: APIRequest(.patch, APIPath.events(namespace: "ns") + "/a.1"), kind: .event),
        Write(request: APIRequest(.get, APIPath.lease(key)), kind: nil),
    ]

    @Test(arguments: writes) func everyWriteIsCountedByWhatItWrites(_ write: Write) async throws {
        let metrics = WriteMetrics()
        let client = CountedClient(Answering(answer: .success(APIResponse(status: 200))), metrics: metrics)
        _ = try await client.send(write.request)
        for kind in WriteMetrics.Kind.allCases { #expect(metrics.count(kind, .written) == (kind == write.kind ? 1 : 0)) }
    }

    static let results: [(Int, WriteMetrics.Result)] = [
        (201, .written), (409, .conflict), (404, .gone), (403, .forbidden), (401, .forbidden), (400, .refused),
        (429, .unavailable), (500, .unavailable), (503, .unavailable),
    ]

    @Test(arguments: results) func everyWriteIsCountedByWhatCameOfIt(status: Int, result: WriteMetrics.Result) async throws {
        let metrics = WriteMetrics()
        let client = CountedClient(Answering(answer: .success(APIResponse(status: status))), metrics: metrics)
        _ = try await client.send(APIRequest(.put, APIPath.lease(Self.key)))
        for other in WriteMetrics.Result.allCases { #expect(metrics.count(.lease, other) == (other == result ? 1 : 0)) }
    }

    @Test func aTestThatDoesNotHoldIsAConflict() async throws {
        let metrics = WriteMetrics()
        let client = CountedClient(Answering(answer: .success(APIResponse(status: 422))), metrics: metrics)
        _ = try await client.send(Self.writes[1].request)
        #expect(metrics.count(.finalizer, .conflict) == 1)
    }

    @Test func aWriteWithoutAnAnswerIsCounted() async throws {
        let metrics = WriteMetrics()
        let client = CountedClient(Answering(answer: .failure(APITransportError("no"))), metrics: metrics)
        await #expect(throws: APITransportError.self) { _ = try await client.send(Self.writes[0].request) }
        #expect(metrics.count(.status, .unanswered) == 1)
    }
}
