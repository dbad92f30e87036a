/// The outcome of an RPC, sent in its trailers (gRPC over HTTP/2, "Responses").
public struct Status: Hashable, Sendable, CustomStringConvertible {
    /// The status codes of gRPC by number.
    public enum Code: Int, Hashable, Sendable {
        case ok = 0
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case unauthenticated = 16
    }

    /// The code.
    public var code: Code
    /// What went wrong and what to do, for the person who reads the client's log; empty for success.
    public var message: String

    /// Success.
    public static let ok = Status(.ok, "")

    /// Makes a status.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }
}
