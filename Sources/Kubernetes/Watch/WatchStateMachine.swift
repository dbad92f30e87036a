/// What to do next to know the objects of one kind: list, watch, or wait. It decides; the caller does the requests.
///
/// The caller performs one ``Step`` and tells how it went by one method, which returns the next step. The rules are those of
/// the Kubernetes documentation (API Concepts: efficient detection of changes) and of KEP-3157 (streaming lists), KEP-4568 (429).
public struct WatchStateMachine: Sendable {
    /// What the caller does next.
    public enum Step: Hashable, Sendable {
        /// Request a page. Where it ``ListQuery/isFirst``, say `restarted` before. Then call `pageListed` or `listFailed`.
        case list(ListQuery)
        /// Request a watch. Where it ``WatchQuery/isList``, say `restarted` before. Then call `watchOpened`, `received` for each event,
        /// and `watchEnded`.
        case watch(WatchQuery)
        /// Wait, then call `waited`.
        case wait(Duration)
    }

    /// What came by a watch.
    public enum Notice: Hashable, Sendable {
        /// An object was added or modified; its resourceVersion, empty when it could not be read.
        case applied(version: String)
        /// An object was deleted; the same.
        case deleted(version: String)
        /// Nothing happened up to this version, or the initial events of a streaming list are complete.
        case bookmark(version: String, endsInitialEvents: Bool)
        /// The server gives the watch up.
        case error(APIStatus)
        /// An event of a type that this client doesn't know.
        case unknown
    }

    /// What the caller does with what came by a watch.
    public enum Reaction: Hashable, Sendable {
        /// Say `applied` or `deleted`.
        case deliver
        /// Say `synced`.
        case synced
        /// Nothing.
        case ignore
        /// Close the watch and call `watchEnded` with the failure.
        case end(Failure)
    }

    /// Why a request or a watch failed.
    public enum Failure: Hashable, Sendable {
        /// The server said so.
        case status(APIStatus)
        /// No connection, or it broke.
        case transport
        /// What came can't be read.
        case unreadable
        /// Nothing came for too long: the connection may be half-open, or the end of a streaming list is withheld.
        case deadline
    }

    /// Durations and limits.
    public struct Configuration: Sendable {
        /// Objects on a page.
        public var pageLimit = 500
        /// Whether to try a streaming list first.
        public var prefersStreamingList = true
        /// How long a streaming list may be silent before its end until it is given up for a list in pages.
        public var initialEventsDeadline: Duration = .seconds(30)
        /// The least time after which the server is to end a watch; the most is twice that.
        public var shortestTimeout: Duration = .seconds(300)
        /// How much longer than it should a watch may last.
        public var watchdogSlack: Duration = .seconds(30)
        /// A watch that ends earlier and without an event counts as failed.
        public var shortWatch: Duration = .seconds(1)
        /// So many watches of this kind in a row, and the list is made again (fabric8#7896).
        public var emptyWatchLimit = 3
        /// What a server may ask by Retry-After at most.
        public var longestRetryAfter: Duration = .seconds(300)
        /// How long to wait after failures.
        public var backoff = Backoff.Configuration()

        /// Makes the usual configuration.
        public init() {}
    }

    private enum Phase {
        /// A page is requested. Exits: another page, watching, or waiting to try again.
        case listing(ListQuery)
        /// A watch is requested or runs. Exits: another watch, listing, or waiting.
        case watching(WatchQuery)
        /// Exit: the step.
        case waiting(Step)
    }

    private let configuration: Configuration
    private var backoff: Backoff
    private var usesStreamingList: Bool
    private var phase: Phase
    /// The version up to which everything was delivered; nil before the first list.
    private var version: String?
    /// When the running watch was opened; nil before.
    private var opened: ContinuousClock.Instant?
    /// Whether the running watch has told anything.
    private var hasEvents = false
    private var emptyWatches = 0
    /// Whether no watch has told anything, or run for a while, since the list was made again.
    private var isFruitless = false
    private var unfinishedStreamingLists = 0

    /// How many times the list was made again.
    public private(set) var relists = 0
    /// How many watches ended at once and without an event.
    public private(set) var shortWatches = 0

    /// Makes a machine that knows nothing yet.
    public init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        backoff = Backoff(configuration.backoff)
        usesStreamingList = configuration.prefersStreamingList
        phase = .listing(ListQuery(limit: configuration.pageLimit))
    }

    /// How long the running watch may last until it counts as failed by ``Failure/deadline``: as a whole, and silent while
    /// initial events are to come.
    public func deadlines(of query: WatchQuery) -> (whole: Duration, initialEvents: Duration?) {
        let whole = Duration.seconds(query.timeoutSeconds) + configuration.watchdogSlack
        return (whole, query.isList ? configuration.initialEventsDeadline : nil)
    }

    /// Whether the answer to a streaming list can mean that the server does not know them; then lists come in pages.
    public static func refusesStreamingList(_ status: APIStatus) -> Bool { [400, 403, 422].contains(status.code) }

    /// Whether the running watch has yet to tell the end of its initial events.
    public var isReceivingList: Bool {
        if case .watching(let query) = phase { query.isList } else { false }
    }

    // MARK: - Events

    /// The first step.
    /// - Parameter draw: here and below, a random number from 0 up to 1.
    public mutating func begin(draw: Double) -> Step { listStep(notOlderThan: nil, draw: draw) }

    /// A page came and was delivered; `version` is that of the list. Without a `continueToken` it was the last one, and the caller has
    /// said `synced`.
    public mutating func pageListed(version: String, continueToken: String?, draw: Double) -> Step {
        guard case .listing(var query) = phase else { return unexpected(draw) }
        if let continueToken, !continueToken.isEmpty {
            query.continueToken = continueToken
            return list(query)
        }
        // Without a version nothing can be watched: watching from "any" would miss or repeat changes.
        guard !version.isEmpty else {
            return wait(backoff.failed(draw: draw), then: .list(ListQuery(limit: configuration.pageLimit)))
        }
        self.version = version
        return watchStep(after: version, draw: draw)
    }

    /// A page did not come.
    public mutating func listFailed(_ failure: Failure, draw: Double) -> Step {
        guard case .listing(let query) = phase else { return unexpected(draw) }
        let first = ListQuery(limit: configuration.pageLimit, notOlderThan: query.notOlderThan)
        let consistent = ListQuery(limit: configuration.pageLimit)
        guard case .status(let status) = failure else {
            return wait(backoff.failed(draw: draw), then: .list(failure == .unreadable ? first : query))
        }
        if status.isExpired || status.isVersionTooLarge {
            // The pages before are out of date; a version that the server can't serve is no longer asked for.
            if !query.isFirst { return wait(backoff.failed(draw: draw), then: .list(first)) }
            return query.notOlderThan == nil ? wait(backoff.failed(draw: draw), then: .list(consistent)) : list(consistent)
        }
        return wait(pause(after: status, draw: draw), then: .list(query))
    }

    /// The server has accepted the watch.
    public mutating func watchOpened(now: ContinuousClock.Instant) {
        opened = now
    }

    /// Something came by the watch.
    public mutating func received(_ notice: Notice) -> Reaction {
        guard case .watching(let query) = phase else { return .ignore }
        switch notice {
        case .applied(let version), .deleted(let version):
            hasEvents = true
            // During a streaming list the versions are those of the objects, in no order.
            if !query.isList, !version.isEmpty { self.version = version }
            return .deliver
        case .bookmark(let version, let endsInitialEvents):
            hasEvents = true
            guard !version.isEmpty else { return .ignore }
            if query.isList {
                guard endsInitialEvents else { return .ignore }
                phase = .watching(WatchQuery(start: .changes(after: version), timeoutSeconds: query.timeoutSeconds))
                unfinishedStreamingLists = 0
                self.version = version
                return .synced
            }
            self.version = version
            return .ignore
        case .error(let status): return .end(.status(status))
        case .unknown: return .ignore
        }
    }

    /// The watch is over: by its timeout or a closed connection (nil), or by a failure, also before it was opened.
    public mutating func watchEnded(_ failure: Failure?, now: ContinuousClock.Instant, draw: Double) -> Step {
        guard case .watching(let query) = phase else { return unexpected(draw) }
        let lifetime = opened.map { $0.duration(to: now) }
        opened = nil
        if let lifetime {
            backoff.wentWell(for: lifetime)
            if lifetime >= configuration.shortWatch { isFruitless = false }
        }
        if query.isList { return streamingListEnded(query, failure, draw) }
        let version = version ?? ""
        switch failure {
        case nil:
            guard let lifetime, lifetime < configuration.shortWatch, !hasEvents else {
                emptyWatches = 0
                return watchStep(after: version, draw: draw)
            }
            emptyWatches += 1
            shortWatches += 1
            let pause = backoff.failed(draw: draw)
            guard emptyWatches < configuration.emptyWatchLimit else {
                emptyWatches = 0
                return wait(pause, then: relist(notOlderThan: version, draw: draw))
            }
            return wait(pause, then: watchStep(after: version, draw: draw))
        case .status(let status) where status.isExpired || status.isVersionTooLarge:
            // At once, unless the version of the list before was already refused: then a hot loop threatens.
            isFruitless = isFruitless && !hasEvents
            let pause = isFruitless ? backoff.failed(draw: draw) : nil
            isFruitless = true
            let step = relist(notOlderThan: status.isExpired ? version : nil, draw: draw)
            return pause.map { wait($0, then: step) } ?? step
        case .status(let status):
            return wait(pause(after: status, draw: draw), then: watchStep(after: version, draw: draw))
        case .transport, .deadline:
            return wait(backoff.failed(draw: draw), then: watchStep(after: version, draw: draw))
        case .unreadable:
            // The same event would come again.
            return wait(backoff.failed(draw: draw), then: relist(notOlderThan: version, draw: draw))
        }
    }

    /// The time to wait has passed.
    public mutating func waited(draw: Double) -> Step {
        guard case .waiting(let step) = phase else { return unexpected(draw) }
        return enter(step)
    }

    // MARK: - Ways on

    private mutating func streamingListEnded(_ query: WatchQuery, _ failure: Failure?, _ draw: Double) -> Step {
        guard case .list(let notOlderThan) = query.start else { return unexpected(draw) }
        switch failure {
        case .status(let status) where WatchStateMachine.refusesStreamingList(status):
            // The server does not know streaming lists.
            usesStreamingList = false
            return listStep(notOlderThan: notOlderThan, draw: draw)
        case .deadline:
            // The server doesn't know them but does not say so, or a proxy withholds the end (k9s#4186).
            usesStreamingList = false
            return listStep(notOlderThan: notOlderThan, draw: draw)
        case .status(let status) where status.isExpired || status.isVersionTooLarge:
            let step = listStep(notOlderThan: nil, draw: draw)
            return notOlderThan == nil ? wait(backoff.failed(draw: draw), then: step) : step
        case .status(let status):
            return wait(pause(after: status, draw: draw), then: listStep(notOlderThan: notOlderThan, draw: draw))
        case nil, .transport, .unreadable:
            unfinishedStreamingLists += 1
            // One that never gets to its end may get there in pages.
            if unfinishedStreamingLists >= configuration.emptyWatchLimit { usesStreamingList = false }
            return wait(backoff.failed(draw: draw), then: listStep(notOlderThan: notOlderThan, draw: draw))
        }
    }

    private mutating func relist(notOlderThan version: String?, draw: Double) -> Step {
        relists += 1
        return listStep(notOlderThan: version, draw: draw)
    }

    private mutating func listStep(notOlderThan version: String?, draw: Double) -> Step {
        enter(
            usesStreamingList
                ? .watch(WatchQuery(start: .list(notOlderThan: version), timeoutSeconds: timeout(draw)))
                : .list(ListQuery(limit: configuration.pageLimit, notOlderThan: version)))
    }

    private mutating func watchStep(after version: String, draw: Double) -> Step {
        enter(.watch(WatchQuery(start: .changes(after: version), timeoutSeconds: timeout(draw))))
    }

    private mutating func list(_ query: ListQuery) -> Step { enter(.list(query)) }

    private mutating func wait(_ duration: Duration, then step: Step) -> Step {
        phase = .waiting(step)
        return .wait(duration)
    }

    private mutating func enter(_ step: Step) -> Step {
        switch step {
        case .list(let query): phase = .listing(query)
        case .watch(let query):
            phase = .watching(query)
            hasEvents = false
        case .wait: break
        }
        return step
    }

    /// A call that does not fit the phase is the caller's mistake; beginning again is always right.
    private mutating func unexpected(_ draw: Double) -> Step {
        wait(backoff.failed(draw: draw), then: .list(ListQuery(limit: configuration.pageLimit)))
    }

    private mutating func pause(after status: APIStatus, draw: Double) -> Duration {
        let pause = backoff.failed(draw: draw)
        guard let seconds = status.retryAfterSeconds else { return pause }
        return min(max(.seconds(seconds), pause), configuration.longestRetryAfter)
    }

    private func timeout(_ draw: Double) -> Int {
        let shortest = max(1, Int(configuration.shortestTimeout.components.seconds))
        return shortest + Int(Double(shortest) * min(max(draw, 0), 1))
    }
}
