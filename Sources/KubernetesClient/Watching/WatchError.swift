public import Kubernetes

/// Why a list or a watch failed, as it is counted.
public enum WatchError: String, CaseIterable, Sendable {
    /// The account may not do this (403).
    case forbidden
    /// The credentials are not accepted (401).
    case unauthorized
    /// The server does not know the resource (404).
    case notFound = "not_found"
    /// The version or the continue token is too old (410), or newer than what the server has seen.
    case expired
    /// The server asks to wait (429).
    case throttled
    /// The server failed (500 to 599).
    case server
    /// Any other refusal.
    case refused
    /// No connection, or one that broke.
    case transport
    /// Nothing came in time.
    case deadline
    /// What came could not be read.
    case unreadable
    /// The watch ended at once, without an event.
    case short

    /// The kind of an answer that did not come.
    init(_ error: APITransportError) { self = error.isTimeout ? .deadline : .transport }

    /// The kind of a status.
    public init(_ status: APIStatus) {
        if status.isExpired || status.isVersionTooLarge {
            self = .expired
            return
        }
        self =
            switch status.code {
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 429: .throttled
            case 500...599: .server
            default: .refused
            }
    }
}
