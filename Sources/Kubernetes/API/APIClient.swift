/// Sends requests to one API server, with credentials.
public protocol APIClient: Sendable {
    /// Sends `request` and returns the answer whatever its status is.
    ///
    /// Throws ``APITransportError`` when there is no answer, `CancellationError` when the task is cancelled, which aborts the transfer.
    func send(_ request: APIRequest) async throws -> APIResponse
}

/// Why a request got no answer: no connection, a broken one, a timeout, or no usable credentials.
public struct APITransportError: Error, Hashable, CustomStringConvertible {
    /// What was wrong, where, and what to do where that is known; one sentence without a final stop.
    public let description: String
    /// Whether a deadline passed: the connection may be half-open.
    public let isTimeout: Bool
    /// Whether the server's certificate was not believed: what it is judged by may be out of date.
    public let isDistrust: Bool

    /// Makes an error that reads as `description`.
    public init(_ description: String, isTimeout: Bool = false, isDistrust: Bool = false) {
        self.description = description
        self.isTimeout = isTimeout
        self.isDistrust = isDistrust
    }
}
