import GRPC
import HTTP2
import Logging
import Synchronization

/// One client's connection: it moves bytes between a channel and an HTTP/2 session, and tells receivers what arrived.
///
/// It is pinned to its loop, and everything that reaches it runs on the loop already. Receivers are called only while no stored
/// property is being accessed, so they may call back (`send`, `finish`) at once; what they send is written when the loop's tick
/// ends, so that all that one tick sends on a connection leaves in one system call.
actor Connection: LoopBound, DescriptorHandler, EndOfTickHandler {
    nonisolated let loop: EventLoop
    nonisolated let peer: SocketAddress
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Exits of `handshaking`: `open`, `closed`. Exit of `open`: `closed`.
    enum State {
        case handshaking(Registration)
        case open(Registration)
        case closed
    }

    /// What a turn costs in which keys are agreed on: to read a few bytes takes a tenth.
    private static let costlyTurn = Duration.microseconds(100)
    private static let keepalivePayload: UInt64 = 1
    private static let shutdownPayload: UInt64 = 2

    let context: ServerContext
    let session: ServerSession
    let channel: any ByteChannel
    private weak var owner: ConnectionSet?
    private(set) var state = State.closed
    /// Whether the handshake waits for its turn on the loop.
    private var isHandshakeWaiting = false
    /// Whether the handshake has had a turn.
    private(set) var hasBegunHandshake = false
    var deadlines: ConnectionDeadlines
    private var timer: TimerToken?
    /// When the timer fires.
    private var timerDeadline = Moment.never
    private var isWritePlanned = false
    /// What the descriptor is watched for.
    private var interest: Readiness = .readable
    private var isOutputBlocked = false
    /// Whether the channel must write before it can read on.
    var isInputBlocked = false
    /// Input that the session has not been given yet, because the turn was over.
    var backlog: [UInt8] = []
    /// Bytes of the next piece: fewer after one that took longer than a turn, more after one that did not.
    var pieceSize = 1024
    /// Whether the connection reads nothing for a while.
    var isResting = false
    /// Whether a turn of the connection has taken too long: the next ones are measured.
    var hasGoneOver = false
    /// The stream of the header section under way.
    var headerStreamID: Int32?
    private(set) var isShuttingDown = false

    var streams: [Int32: StreamRecord] = [:]
    /// Bytes of unfinished inbound messages.
    var bufferedByteCount = 0 {
        didSet { context.bufferedByteCount.add(bufferedByteCount - oldValue, ordering: .relaxed) }
    }
    var messages: FloodGuard

    init(_ context: ServerContext, channel: sending any ByteChannel, peer: SocketAddress, loop: EventLoop, owner: ConnectionSet) {
        self.context = context
        self.channel = channel
        self.peer = peer
        self.loop = loop
        self.owner = owner
        session = ServerSession(settings: context.configuration.session)
        messages = FloodGuard(burst: context.configuration.messageBurst, perSecond: context.configuration.messagesPerSecond)
        let (now, age) = (Moment.now, context.configuration.maximumConnectionAge)
        deadlines = ConnectionDeadlines(openedAt: now, retiresAt: age.map { now + $0 * Double.random(in: 0.9...1.1) } ?? .never)
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    // MARK: - From the loop

    nonisolated func ready(_ readiness: Readiness) {
        onLoop(readiness) { $0.handle($1) }
    }

    nonisolated func endOfTick() {
        onLoop(()) { connection, _ in connection.flush() }
    }

    /// Begins to read and write.
    func open() {
        do {
            state = .handshaking(try loop.register(channel.descriptor, .readable, self))
        } catch {
            log(.error, "The connection cannot be watched and is closed", reason: error.description)
            channel.close()
            owner?.assumeIsolated { $0.remove(self) }
            return
        }
        if !channel.shakesHands { advanceHandshake() }
        armTimer()
    }

    private func handle(_ readiness: Readiness) {
        switch state {
        case .closed: return
        case .handshaking(let registration): awaitHandshakeTurn(registration)
        case .open:
            if readiness.contains(.readable) || isInputBlocked { readInput() }
            if readiness.contains(.writable) { planWrite() }
        }
    }

    private func awaitHandshakeTurn(_ registration: Registration) {
        // Of a descriptor that is watched for nothing, errors are told all the same.
        guard !isHandshakeWaiting else { return close(.debug, "the peer closed the connection during the handshake") }
        isHandshakeWaiting = true
        watch(registration, [])
        owner?.assumeIsolated { $0.awaitHandshakeTurn(self) }
    }

    /// Goes on with the handshake.
    func takeHandshakeTurn() {
        // The name in the queue may be that of a connection which is gone, and lay where this one does.
        guard isHandshakeWaiting else { return }
        isHandshakeWaiting = false
        let before = ProcessorTime.ofThread
        advanceHandshake()
        if ProcessorTime.ofThread - before >= Self.costlyTurn { hasBegunHandshake = true }
    }

    private func advanceHandshake() {
        guard case .handshaking(let registration) = state else { return }
        switch channel.handshake() {
        case .transferred:
            state = .open(registration)
            updateInterest()
            planWrite()
        case .blocked(let readiness): watch(registration, readiness)
        case .ended: close(.debug, "the peer closed the connection during the handshake")
        case .failed(let reason): close(.info, reason)
        }
    }

    // MARK: - Events

    /// Delivers what the session has found, and what comes of that. Returns whether there was anything.
    @discardableResult
    func deliverEvents() -> Bool {
        var isAnything = false
        guard session.hasEvents else { return false }
        while !isClosed {
            let events = session.takeEvents()
            if events.isEmpty { break }
            isAnything = true
            for event in events where !isClosed { deliver(event) }
        }
        deadlines.hasStreams(!streams.isEmpty, at: loop.moment)
        return isAnything
    }

    private func deliver(_ event: SessionEvent) {
        switch event {
        case .request(let streamID, let fields, let endOfStream): open(streamID, fields, endOfStream)
        case .oversizedRequest(let streamID):
            session.respondAndEnd(streamID, ResponseFields.httpError(status: 431, text: "the request's header list is too large"))
        case .data(let streamID, let bytes): receive(bytes, on: streamID)
        case .endOfStream(let streamID): receiveEnd(on: streamID)
        case .drained(let streamID): streams[streamID]?.receiver?.drained()
        case .closed(let streamID, _): closed(streamID)
        case .pingAcknowledged(let payload):
            if payload == Self.shutdownPayload { refuseNewStreams() }
        case .goAwayReceived: break
        case .failed(let failure): log(.info, "The connection is closed", reason: failure.description)
        }
    }

    // MARK: - Output

    /// Writes when the tick ends.
    func planWrite() {
        guard !isWritePlanned, !isClosed else { return }
        isWritePlanned = true
        loop.atEndOfTick(self)
    }

    private func flush() {
        isWritePlanned = false
        guard case .open = state else { return }
        var messageByteCount = 0
        var isBlocked = false
        while !isBlocked {
            session.fillOutput()
            if session.output.isEmpty { break }
            switch channel.write(session.output) {
            case .transferred(let count): messageByteCount += session.wrote(count)
            case .blocked: isBlocked = true
            case .ended: return close(.debug, "the peer closed the connection")
            case .failed(let reason): return close(.debug, reason)
            }
        }
        isOutputBlocked = isBlocked
        updateInterest()
        session.markBlockedStreams()
        deadlines.wrote(
            messageByteCount: messageByteCount, isAnythingLeft: isBlocked || session.pendingByteCount > 0, at: loop.moment)
        if deliverEvents() { planWrite() }
        if session.failure != nil || (session.isFinished && !isBlocked) {
            close(.trace, "both ends are done")
        } else {
            armTimer()
        }
    }

    /// Input that waits for the channel to write is not watched for: it would be reported over and over.
    func updateInterest() {
        guard case .open(let registration) = state else { return }
        var wanted: Readiness = isInputBlocked || isResting ? [] : .readable
        if isOutputBlocked || (isInputBlocked && !isResting) { wanted.insert(.writable) }
        watch(registration, wanted)
    }

    private func watch(_ registration: Registration, _ wanted: Readiness) {
        guard wanted != interest else { return }
        interest = wanted
        loop.modify(registration, wanted)
    }

    // MARK: - Time

    func armTimer() {
        guard !isClosed, timer == nil || deadlines.mayBeNearer else { return }
        deadlines.mayBeNearer = false
        let deadline = deadlines.next(context.configuration).deadline
        if let timer {
            // A timer that fires too early arms itself again: cheaper than moving it with each byte that arrives.
            if timerDeadline <= deadline { return }
            loop.cancel(timer)
        }
        timer = loop.schedule(after: max(.zero, deadline - .now)) {
            self.assumeIsolated { $0.checkDeadlines() }
        }
        timerDeadline = deadline
    }

    private func checkDeadlines() {
        timer = nil
        switch deadlines.verdict(context.configuration, at: .now) {
        case .wait: break
        case .ping:
            session.ping(payload: Self.keepalivePayload)
            deadlines.pinged(at: .now)
            planWrite()
        case .refuseNewStreams: refuseNewStreams()
        case .retire:
            deadlines.retired(at: .now)
            shutDown()
        case .close(let reason):
            terminate(reason == .idle ? .debug : .info, reason.rawValue, isSettingsTimeout: reason == .settings)
        }
        armTimer()
    }

    // MARK: - The end

    /// Lets the streams end and takes no new ones; the connection closes itself after the last.
    func shutDown() {
        guard !isShuttingDown, !isClosed else { return }
        isShuttingDown = true
        guard session.isPrefaceComplete else { return close(.debug, "shutdown") }
        session.announceShutdown()
        session.ping(payload: Self.shutdownPayload)
        deadlines.announcedShutdown(at: .now)
        for receiver in streams.values.compactMap(\.receiver) { receiver.shutdown() }
        planWrite()
    }

    private func refuseNewStreams() {
        deadlines.refusedNewStreams()
        session.refuseNewStreams()
        planWrite()
    }

    /// Ends all streams at once and closes.
    func terminate(_ level: Logger.Level = .debug, _ reason: String = "shutdown", isSettingsTimeout: Bool = false) {
        guard !isClosed else { return }
        log(level, "The connection is closed", reason: reason)
        session.terminate(isSettingsTimeout: isSettingsTimeout)
        flush()
        close(.trace, reason)
    }

    func close(_ level: Logger.Level, _ reason: String) {
        let registration: Registration
        switch state {
        case .closed: return
        case .handshaking(let current), .open(let current): registration = current
        }
        state = .closed
        log(level, "The connection is closed", reason: reason)
        loop.deregister(registration)
        channel.close()
        if let timer { loop.cancel(timer) }
        timer = nil
        let receivers = streams.values.compactMap { $0.end() }
        streams = [:]
        backlog = []
        bufferedByteCount = 0
        for receiver in receivers { receiver.closed() }
        owner?.assumeIsolated { $0.remove(self) }
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, reason: String) {
        context.logger.log(level: level, message, metadata: ["peer": "\(peer)", "reason": "\(reason)"])
    }
}
