import Kubernetes

/// No answer came in time.
struct NoAnswerInTime: Error, CustomStringConvertible {
    let limit: Duration
    var description: String { "no answer within \(limit)" }
}

extension APIClient {
    /// Sends a request and gives up, cancelling it, after `limit`.
    func send(_ request: APIRequest, within limit: Duration, time: any TimeSource) async throws -> APIResponse {
        let deadline = time.now + limit
        return try await withThrowingTaskGroup(of: APIResponse.self) { group in
            group.addTask { try await send(request) }
            group.addTask {
                try await time.sleep(until: deadline)
                throw NoAnswerInTime(limit: limit)
            }
            defer { group.cancelAll() }
            guard let response = try await group.next() else { throw CancellationError() }
            return response
        }
    }
}
