/// What a request for one page of a list asks for.
public struct ListQuery: Hashable, Sendable {
    /// How many objects at most.
    public var limit: Int
    /// The state must not be older than this; nil for the most recent one, read consistently.
    public var notOlderThan: String?
    /// Where the page before ended; nil for the first page.
    public var continueToken: String?

    /// Makes the query of a first page, or of the one after `continueToken`.
    public init(limit: Int, notOlderThan: String? = nil, continueToken: String? = nil) {
        self.limit = limit
        self.notOlderThan = notOlderThan
        self.continueToken = continueToken
    }

    /// Whether a list begins with this page.
    public var isFirst: Bool { continueToken == nil }

    /// The query of the request (Kubernetes documentation, API Concepts).
    public var parameters: [(name: String, value: String)] {
        var result = [(name: "limit", value: "\(limit)")]
        if let continueToken {
            // The token holds the version.
            result.append((name: "continue", value: continueToken))
        } else if let notOlderThan {
            result += [(name: "resourceVersion", value: notOlderThan), (name: "resourceVersionMatch", value: "NotOlderThan")]
        }
        return result
    }
}

/// What a request for a watch asks for.
public struct WatchQuery: Hashable, Sendable {
    /// What the watch begins with.
    public enum Start: Hashable, Sendable {
        /// The changes after this version.
        case changes(after: String)
        /// Every object, then a bookmark, then the changes: a streaming list (KEP-3157). The state is not older than the version; nil for
        /// the most recent one.
        case list(notOlderThan: String?)
    }

    /// What the watch begins with.
    public var start: Start
    /// After how many seconds the server is to end the watch.
    public var timeoutSeconds: Int

    /// Makes the query of a watch.
    public init(start: Start, timeoutSeconds: Int) {
        self.start = start
        self.timeoutSeconds = timeoutSeconds
    }

    /// Whether the watch begins with every object.
    public var isList: Bool {
        if case .list = start { true } else { false }
    }

    /// The query of the request.
    public var parameters: [(name: String, value: String)] {
        var result = [(name: "watch", value: "true"), (name: "allowWatchBookmarks", value: "true")]
        switch start {
        case .changes(let version): result.append((name: "resourceVersion", value: version))
        case .list(let version):
            result += [(name: "sendInitialEvents", value: "true"), (name: "resourceVersionMatch", value: "NotOlderThan")]
            if let version { result.append((name: "resourceVersion", value: version)) }
        }
        return result + [(name: "timeoutSeconds", value: "\(timeoutSeconds)")]
    }
}
