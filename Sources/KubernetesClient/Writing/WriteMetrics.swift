public import Kubernetes
import Synchronization

/// Counts what was written to the API server, and what came of it; readable from anywhere.
public final class WriteMetrics: Sendable {
    /// What is written.
    public enum Kind: String, CaseIterable, Sendable {
        /// The status of a VirtualService.
        case status
        /// A VirtualService's finalizer, taken away.
        case finalizer
        case lease
        case event

        /// What `request` writes; nil when it only reads.
        init?(_ request: APIRequest) {
            guard request.method != .get else { return nil }
            if request.path.hasPrefix("/apis/coordination.k8s.io/") {
                self = .lease
            } else if request.path.hasPrefix("/apis/events.k8s.io/") {
                self = .event
            } else {
                self = request.path.hasSuffix("/status") ? .status : .finalizer
            }
        }
    }

    /// What came of a write.
    public enum Result: String, CaseIterable, Sendable {
        case written
        /// The object had moved on (409, or a test that did not hold).
        case conflict
        /// There was no such object (404, 410).
        case gone
        /// The account may not do this (401, 403).
        case forbidden
        /// The server will not take it.
        case refused
        /// The server can't now (408, 429, 500 to 599).
        case unavailable
        /// No answer came: no connection, a broken one, a timeout.
        case unanswered

        /// What an answer to `request` says.
        init(_ response: APIResponse, to request: APIRequest) {
            // What the answer says besides is read by whoever wrote.
            guard !response.isSuccess else {
                self = .written
                return
            }
            self =
                switch WriteOutcome(response, hasTests: request.contentType == "application/json-patch+json") {
                case .written: .written
                case .conflict: .conflict
                case .gone: .gone
                case .forbidden: .forbidden
                case .refused, .unsupported: .refused
                case .unavailable: .unavailable
                }
        }
    }

    private let counts = Mutex<[Kind: [Result: Int]]>([:])

    /// Makes counters at zero.
    public init() {}

    /// How many writes of `kind` had this result.
    public func count(_ kind: Kind, _ result: Result) -> Int { counts.withLock { $0[kind]?[result] ?? 0 } }

    func wrote(_ kind: Kind, _ result: Result) {
        counts.withLock { $0[kind, default: [:]][result, default: 0] += 1 }
    }
}

/// Passes requests on, and counts those that write.
public struct CountedClient: APIClient {
    private let client: any APIClient
    private let metrics: WriteMetrics

    /// Makes a client that sends by `client` and counts by `metrics`.
    public init(_ client: any APIClient, metrics: WriteMetrics) {
        self.client = client
        self.metrics = metrics
    }

    public func send(_ request: APIRequest) async throws -> APIResponse {
        guard let kind = WriteMetrics.Kind(request) else { return try await client.send(request) }
        do {
            let response = try await client.send(request)
            metrics.wrote(kind, WriteMetrics.Result(response, to: request))
            return response
        } catch {
            metrics.wrote(kind, .unanswered)
            throw error
        }
    }
}
