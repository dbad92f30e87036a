public import Kubernetes

/// An API client that can also follow an answer while it comes.
public protocol StreamingAPIClient: APIClient {
    /// Sends `request` and returns once the head of the answer is there. Throws as ``APIClient/send(_:)`` does.
    /// - Parameter timeout: how long the answer may take as a whole.
    func stream(_ request: APIRequest, timeout: Duration) async throws -> APIStream
}

/// An answer whose body comes bit by bit, for one reader. Cancelling the reader's task aborts it.
public struct APIStream: Sendable {
    /// The HTTP status.
    public let status: Int
    /// The header fields in order, with names in lower case.
    public let headers: [(name: String, value: String)]
    private let nextChunk: @Sendable () async throws -> [UInt8]?
    private let stop: @Sendable () -> Void

    /// Makes a stream whose chunks come from `next`, nil at the end, and which `close` gives up.
    public init(
        status: Int, headers: [(name: String, value: String)] = [], next: @escaping @Sendable () async throws -> [UInt8]?,
        close: @escaping @Sendable () -> Void
    ) {
        self.status = status
        self.headers = headers
        nextChunk = next
        stop = close
    }

    /// The first value of the header field `name`, which is given in lower case.
    public subscript(header name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The next bytes of the body; nil at its end. Until they are asked for, little more is read: the server waits. Throws
    /// ``APITransportError`` when the body breaks off, `CancellationError` after `close` or cancellation.
    public func next() async throws -> [UInt8]? { try await nextChunk() }

    /// Gives the rest of the body up. To be called in any case; harmless at the end.
    public func close() { stop() }
}
