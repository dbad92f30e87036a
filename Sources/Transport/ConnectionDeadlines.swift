/// When a connection's patience ends, as a function of what has happened on it and of the server's configuration, which is a
/// parameter rather than a copy in each connection.
struct ConnectionDeadlines {
    /// How long a client gets to answer the PING between the two GOAWAYs of a shutdown.
    static let shutdownRoundTrip = Duration.seconds(1)

    /// Bytes that a peer must take within the stall timeout, while so many wait, in order not to be stalled: drops don't count.
    static let leastTaken = 16 * 1024

    /// What to do now.
    enum Verdict: Hashable {
        case wait
        /// Ask the peer for a sign of life.
        case ping
        /// Take the second step of the shutdown.
        case refuseNewStreams
        /// The connection is old: begin its shutdown.
        case retire
        case close(Reason)
    }

    /// Why a connection is closed.
    enum Reason: String, Hashable {
        case preface = "no HTTP/2 preface within the time limit"
        case headers = "a header section was not completed within the time limit"
        case settings = "our SETTINGS were not acknowledged within the time limit"
        case idle = "no stream within the time limit"
        case silent = "no sign of life after a keepalive PING"
        case unfinished = "a message was not completed within the time limit"
        case stalled = "the peer takes none of the messages waiting for it, or next to none"
        case age = "streams did not end when the connection had reached its maximum age"
    }

    private let openedAt: Moment
    private var isPrefaceComplete = false
    private var headersBegunAt = Moment.never
    private var settingsSentAt = Moment.never
    private var streamlessSince = Moment.never
    private var lastHeardAt: Moment
    private var pingedAt = Moment.never
    private var unfinishedSince = Moment.never
    private var stalledSince = Moment.never
    /// Bytes taken since then.
    private var taken = 0
    private var shutdownAnnouncedAt = Moment.never
    private var retiresAt = Moment.never
    private var retiredAt = Moment.never

    /// Whether the next deadline may be nearer than it was when somebody last looked, and said so here.
    var mayBeNearer = true

    /// - Parameter retiresAt: when the connection has reached its maximum age.
    init(openedAt: Moment, retiresAt: Moment = .never) {
        self.openedAt = openedAt
        self.retiresAt = retiresAt
        streamlessSince = openedAt
        lastHeardAt = openedAt
    }

    // MARK: - What happened

    /// Bytes arrived, and left the session so.
    mutating func received(isPrefaceComplete: Bool, isInsideHeaders: Bool, at now: Moment) {
        let isUnusual = isPrefaceComplete != self.isPrefaceComplete || pingedAt.isSet
        if isUnusual || (isInsideHeaders && !headersBegunAt.isSet) { mayBeNearer = true }
        self.isPrefaceComplete = isPrefaceComplete
        lastHeardAt = now
        pingedAt = .never
        headersBegunAt = isInsideHeaders ? min(headersBegunAt, now) : .never
    }

    /// Whether the peer has yet to acknowledge our SETTINGS.
    mutating func awaitsSettings(_ awaits: Bool) {
        if awaits && !settingsSentAt.isSet { mayBeNearer = true }
        settingsSentAt = awaits ? openedAt : .never
    }

    /// Whether there are bytes of unfinished messages.
    mutating func hasUnfinishedMessages(_ hasUnfinished: Bool, at now: Moment) {
        if hasUnfinished && !unfinishedSince.isSet { mayBeNearer = true }
        unfinishedSince = hasUnfinished ? min(unfinishedSince, now) : .never
    }

    /// The number of streams changed.
    mutating func hasStreams(_ hasStreams: Bool, at now: Moment) {
        if !hasStreams && !streamlessSince.isSet { mayBeNearer = true }
        streamlessSince = hasStreams ? .never : min(streamlessSince, now)
    }

    /// Output was written as far as possible.
    mutating func wrote(messageByteCount: Int, isAnythingLeft: Bool, at now: Moment) {
        taken += messageByteCount
        if !isAnythingLeft {
            stalledSince = .never
        } else if taken >= Self.leastTaken || !stalledSince.isSet {
            if !stalledSince.isSet { mayBeNearer = true }
            stalledSince = now
        } else {
            return
        }
        taken = 0
    }

    mutating func pinged(at now: Moment) {
        pingedAt = now
        mayBeNearer = true
    }

    mutating func announcedShutdown(at now: Moment) {
        shutdownAnnouncedAt = now
        mayBeNearer = true
    }

    mutating func refusedNewStreams() {
        shutdownAnnouncedAt = .never
    }

    mutating func retired(at now: Moment) {
        retiresAt = .never
        mayBeNearer = true
        retiredAt = now
    }

    // MARK: - What follows

    /// The earliest deadline, and what to do once it is reached.
    func next(_ configuration: ServerConfiguration) -> (deadline: Moment, verdict: Verdict) {
        guard isPrefaceComplete else { return (openedAt + configuration.prefaceTimeout, .close(.preface)) }
        var next =
            if pingedAt.isSet {
                (pingedAt + configuration.keepaliveTimeout, Verdict.close(.silent))
            } else {
                (lastHeardAt + configuration.keepaliveInterval, Verdict.ping)
            }
        func consider(_ start: Moment, _ limit: Duration, _ verdict: Verdict) {
            guard start.isSet, start + limit < next.0 else { return }
            next = (start + limit, verdict)
        }
        consider(headersBegunAt, configuration.headersTimeout, .close(.headers))
        consider(settingsSentAt, configuration.keepaliveTimeout, .close(.settings))
        consider(unfinishedSince, configuration.messageTimeout, .close(.unfinished))
        consider(streamlessSince, configuration.idleTimeout, .close(.idle))
        consider(stalledSince, configuration.stallTimeout, .close(.stalled))
        consider(retiresAt, .zero, .retire)
        consider(retiredAt, configuration.gracePeriod, .close(.age))
        consider(shutdownAnnouncedAt, Self.shutdownRoundTrip, .refuseNewStreams)
        return next
    }

    func verdict(_ configuration: ServerConfiguration, at now: Moment) -> Verdict {
        let next = next(configuration)
        return next.deadline <= now ? next.verdict : .wait
    }
}
