/// Which requests a fault meets; nil members meet any.
public struct RequestMatch: Hashable, Sendable {
    /// The verb, such as `list` or `watch`.
    public var verb: String?
    /// The resource, such as `pods` or `virtualservices/status`.
    public var resource: String?
    /// A part of the client's User-Agent.
    public var userAgent: String?

    /// Meets requests of `verb` on `resource` by clients whose User-Agent contains `userAgent`.
    public init(verb: String? = nil, resource: String? = nil, userAgent: String? = nil) {
        self.verb = verb
        self.resource = resource
        self.userAgent = userAgent
    }

    /// Whether a request is met.
    public func matches(verb: String, resource: String, userAgent: String) -> Bool {
        (self.verb.map { $0 == verb } ?? true) && (self.resource.map { $0 == resource } ?? true)
            && (self.userAgent.map { userAgent.contains($0) } ?? true)
    }
}

/// Something that goes wrong with requests.
public struct Fault: Hashable, Sendable {
    /// What goes wrong.
    public enum Action: Hashable, Sendable {
        /// The request is answered with this error instead.
        case fail(StatusError)
        /// The request is read and never answered; the connection stays open.
        case hang
        /// The connection is closed without an answer.
        case close
        /// The connection is reset without an answer.
        case reset
        /// The answer's body, or that of a watch, breaks off after this many bytes in the middle of a chunk.
        case truncate(after: Int)
        /// The body is sent with this many bytes a chunk.
        case trickle(bytes: Int)
        /// The answer comes this much later.
        case delay(Duration)
        /// A watch begins and never sends anything; the connection stays open.
        case silence
        /// A watch begins and sends this as an ERROR event.
        case watchError(StatusError)
    }

    /// The requests that it meets.
    public var match: RequestMatch
    /// What happens to them.
    public var action: Action
    /// How many requests it meets; nil for all.
    public var times: Int?

    /// Makes a fault that meets `times` requests.
    public init(_ action: Action, on match: RequestMatch = RequestMatch(), times: Int? = 1) {
        self.match = match
        self.action = action
        self.times = times
    }
}

/// Something that happens to open watches.
public enum WatchDisturbance: Hashable, Sendable {
    /// They end as at their timeout.
    case end
    /// The connection is closed in the middle of the stream.
    case close
    /// The connection is reset.
    case reset
    /// They send nothing more; the connection stays open.
    case silence
    /// The connection is closed after the first half of a chunk.
    case truncate
    /// From now on they send one byte a chunk.
    case trickle
    /// They send 410 as an ERROR event and end.
    case expire
    /// They send a bookmark now, if they asked for bookmarks.
    case bookmark
}

extension StatusError {
    /// 429 as flow control answers.
    public static func tooManyRequests(retryAfter: Int = 1) -> StatusError {
        StatusError(
            429, "TooManyRequests", "Too many requests, please try again later.", details: [:], retryAfter: retryAfter)
    }

    /// 410 as a compacted version is answered.
    public static let gone = StatusError(410, "Expired", "too old resource version: 1 (2)")

    /// 500 as a failed storage is answered.
    public static let internalError = StatusError(
        500, "InternalError", "Internal error occurred: etcdserver: request timed out", details: [:])

    /// 503 as an overloaded or stopping server answers.
    public static let unavailable = StatusError(
        503, "ServiceUnavailable", "the server is currently unable to handle the request", details: [:])
}
