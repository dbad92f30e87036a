import Domain
import GRPC
import Logging
import Observability
import Transport
import XDS

/// Owns one stream of an Envoy, in either form: decodes what it sends, lets the state machine decide, and performs that.
///
/// It is pinned to the loop of its connection; the transport and the loop's broadcaster call it there, synchronously.
actor DiscoveryStream: RPCReceiver, LoopBound {
    /// How long a client that came back has to ask for its listeners before its old clusters are cleared away.
    private static let reconnectGrace = Duration.seconds(1)

    /// Bytes that a client may leave unread while it goes on asking for what there is not, or answers what it cannot have read.
    private static let unreadLimit = 1 << 20

    private nonisolated let responder: any RPCResponder
    nonisolated let broadcaster: Broadcaster
    private let metrics: StreamMetrics
    private let plainLogger: Logger
    private var nodeID = ""
    private let method: DiscoveryMethod
    private let peer: String
    let waitingLog: WaitingLog
    let answerTimeout: Duration
    let limits: StreamLimits
    /// What the client must show before it is served; nil once it has, and where nothing is asked.
    private var access: StreamAccess?
    let machine: any StreamForm
    /// Answers of the client so far.
    private(set) var answerCount = 0
    private var unanswered = UnansweredBytes()
    private var names = NameAccount()
    var isWatchingAnswers = false
    private var told: StreamProgress?
    /// Whether the broadcaster will ask for the progress soon.
    private var isProgressNoted = false
    private var rejections = RejectionMemory()
    /// How often what was rejected for its address has been tried again for the time that passed, and nothing else.
    var addressTrials = 0
    /// Whether the client has yet to answer something.
    private var isBehind = false
    /// When the oldest change was heard of that the client has not been seen to have; followed from one moment in step to the next.
    private var behindSince: ContinuousClock.Instant?
    private var id: StreamID?
    private var nodeCluster = ""
    private var hasNode = false
    private(set) var isAssigned = false
    var wasReportedWaiting = false
    private(set) var hasEnded = false
    /// What is cancelled at the stream's end, and may refer to the stream until then: a weak reference would give it a counter apart, another
    /// place in memory for each push to visit.
    var timers: [Purpose: TimerToken] = [:]

    /// What a timer is for; there is one of each at most.
    enum Purpose { case request, grace, identity, answers, address }

    nonisolated var loop: EventLoop { broadcaster.loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        _ method: DiscoveryMethod, peer: String, responder: any RPCResponder, broadcaster: Broadcaster, metrics: StreamMetrics,
        waitingLog: WaitingLog, answerTimeout: Duration, limits: StreamLimits = StreamLimits(), access: StreamAccess? = nil,
        logger: Logger
    ) {
        self.limits = limits
        self.method = method
        self.peer = peer
        self.waitingLog = waitingLog
        self.access = access
        self.answerTimeout = answerTimeout
        machine = method.newForm
        self.responder = responder
        self.broadcaster = broadcaster
        self.metrics = metrics
        plainLogger = logger
        metrics.streamBegan(method)
    }

    /// Names the Envoy. Made when something is logged: kept, it would cost each stream half a kilobyte.
    var logger: Logger {
        var logger = plainLogger
        logger[metadataKey: "peer"] = "\(peer)"
        if !nodeID.isEmpty { logger[metadataKey: "node"] = "\(nodeID)" }
        return logger
    }

    // MARK: From the transport, on the loop

    nonisolated func received(_ message: [UInt8]) { onLoop(message) { $0.take($1) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.takeEnd() } }
    nonisolated func drained() {}
    nonisolated func shutdown() { assumeIsolated { $0.finish(Status(.unavailable, "the server ends this stream; reconnect")) } }
    nonisolated func closed() { assumeIsolated { $0.end() } }

    // MARK: From the broadcaster, on the loop

    nonisolated func assigned(_ position: Position, pod: Pod?) { assumeIsolated { $0.assign(position, pod) } }
    nonisolated func updated(_ update: GroupUpdate) { onLoop(update) { $0.take($1) } }
    nonisolated func answered(_ results: [FetchResult]) {
        onLoop(results) {
            $0.perform($0.machine.answered($1))
            $0.countNames()
        }
    }

    /// What is known of the client, which gave `nodeID`.
    nonisolated func describe(_ nodeID: String) -> StreamDescription {
        assumeIsolated {
            StreamDescription(
                nodeID: nodeID, nodeCluster: $0.nodeCluster, peer: $0.peer, method: $0.method, account: $0.machine.account)
        }
    }

    /// The client's pod is known: it is served, if it may be.
    private func assign(_ position: Position, _ pod: Pod?) {
        guard !hasEnded else { return }
        if let access {
            switch access.decision(for: pod) {
            case .refused(let status): return finish(status)
            case .admitted(let name): logger.info("client admitted", metadata: ["identity": "\(name)"])
            }
            self.access = nil
        }
        isAssigned = true
        // Groups that the client has been in and out of since it was last told of have forgotten it.
        told = nil
        if wasReportedWaiting {
            wasReportedWaiting = false
            logger.notice("a pod with the Envoy's node id is known now: it is served")
        }
        perform(machine.assigned(position))
    }

    private func take(_ update: GroupUpdate) {
        guard !hasEnded else { return }
        behindSince = behindSince ?? update.since
        perform(machine.updated(update))
    }

    private func take(_ message: [UInt8]) {
        guard !hasEnded else { return }
        if hasNode, let actions = machine.acknowledged(message, of: method.type) {
            answerCount += 1
            perform(actions)
            return checkReading()
        }
        var request: StreamRequest
        do {
            request = try machine.decode(message, nameLimit: limits.namesPerRequest, needsNode: !hasNode)
        } catch RequestScan.Fault.tooLarge {
            finish(Status(.resourceExhausted, "the request names too much: \(limits.namesPerRequest) resources at most"))
            return
        } catch {
            finish(Status(.invalidArgument, "not a discovery request: \(error)"))
            return
        }
        if let type = method.type {
            if request.typeURL.isEmpty { request.typeURL = type.typeURL }
            guard request.typeURL == type.typeURL else {
                finish(Status(.invalidArgument, "this service has only \(type.typeURL), not \(request.typeURL)"))
                return
            }
        }
        guard identify(request) else { return }
        if request.isAnswer { answerCount += 1 }
        // A client that asks on and on for types that there are not, and reads no answer, must not fill our memory.
        if ResourceType(typeURL: request.typeURL) == nil {
            guard responder.pendingByteCount <= Self.unreadLimit else { return refuseUnread() }
            return perform(machine.received(request), isAnswered: false)
        }
        perform(machine.received(request))
        if request.isAnswer { checkReading() }
        guard !hasEnded else { return }
        // What a rejection leaves behind is found out by counting.
        account(request.nameCount + (request.isRejection ? 64 : 0), byteCount: message.count)
    }

    /// What an honest client that answers has not read are the last responses sent, and it has answered none of them.
    private func checkReading() {
        if !hasEnded, responder.pendingByteCount > Self.unreadLimit + unanswered.sum { refuseUnread() }
    }

    private func refuseUnread() { finish(Status(.resourceExhausted, "answers are not read")) }

    /// Keeps what the client makes the stream remember within its limits.
    private func account(_ nameCount: Int, byteCount: Int) {
        guard nameCount > 0 else { return }
        names.claim(count: nameCount, byteCount: byteCount, limits)
        countNames()
        guard !names.isWithin(limits) else { return }
        names.count(machine.nameByteCount(nameCost: StreamLimits.nameCost), limits)
        // Where little is left, every request would lead to another count.
        guard names.claimed > limits.nameBytesPerStream / 8 * 7 || !names.isWithin(limits) else { return }
        finish(Status(.resourceExhausted, "the names subscribed to take too much room"))
    }

    private func countNames() {
        guard !hasEnded, names.isDue else { return }
        names.count(machine.nameByteCount(nameCost: StreamLimits.nameCost), limits)
    }

    /// Gives the client some time for its first request. Call it once, on the loop.
    nonisolated func begin() { onLoop(()) { stream, _ in stream.watchRequest() } }

    private func watchRequest() {
        timers[.request] = loop.schedule(after: limits.requestTimeout) { self.assumeIsolated { $0.checkRequest() } }
    }

    private func checkRequest() {
        if !hasNode { finish(Status(.deadlineExceeded, "no request for \(limits.requestTimeout)")) }
    }

    /// A client that says no more still reads what it asked for only when that is one answer.
    private func takeEnd() {
        if method.form != .unary || !hasNode { finish(.ok) }
    }

    /// The first request says who the Envoy is; later ones may say it again.
    private func identify(_ request: StreamRequest) -> Bool {
        guard !hasNode else { return true }
        let nodeID = request.nodeID
        guard !nodeID.isEmpty, nodeID.utf8.count <= 512 else {
            finish(
                Status(
                    .invalidArgument,
                    "the first request must name the node: set node.id in the bootstrap to the pod's uid, or to namespace/name"))
            return false
        }
        hasNode = true
        self.nodeID = nodeID
        nodeCluster = request.nodeCluster.limited(toBytes: 256)
        logger.info("stream began", metadata: ["cluster": "\(nodeCluster)", "form": "\(method.form)"])
        id = broadcaster.assumeIsolated { $0.attach(self, nodeID: nodeID) }
        timers[.grace] = broadcaster.loop.schedule(after: Self.reconnectGrace) {
            self.assumeIsolated { $0.perform($0.machine.graceElapsed()) }
        }
        watchIdentity()
        return true
    }

    /// - Parameter isAnswered: whether the client answers what it is sent.
    func perform(_ actions: [DeltaAction], isAnswered: Bool = true) {
        guard !hasEnded, let id else { return }
        var fetches: [Fetch] = []
        for action in actions {
            switch action {
            case .send(let head, let body):
                let message = OutboundMessage(head: head, body: body)
                metrics.pushed(byteCount: message.byteCount)
                responder.send(message)
                if isAnswered { unanswered.append(message.byteCount) }
                if method.form == .unary {
                    finish(.ok)
                    return
                }
            case .fetch(let fetch): fetches.append(fetch)
            case .release(let group): broadcaster.assumeIsolated { $0.release(id, group) }
            case .rejected(let rejection): report(rejection, id)
            case .resync:
                logger.warning("the client is too far behind to be brought up to date by steps; it has to reconnect")
                finish(Status(.unavailable, "too far behind; reconnect and say what you have"))
                return
            }
        }
        unanswered.keep(last: machine.inFlightCount)
        if !fetches.isEmpty { broadcaster.onLoop((id, fetches)) { $0.ask($1.0, $1.1) } }
        tellProgress(id)
        followStep()
        watchAnswers()
    }

    /// Notices when the client falls behind, and when it is in step again.
    private func followStep() {
        let isBehind = !hasEnded && machine.inFlightCount > 0
        if !isBehind, let since = behindSince {
            // What changed nothing for this client was no change for it.
            if self.isBehind { metrics.acknowledgementLatency.observe(.now - since) }
            behindSince = nil
        }
        guard isBehind != self.isBehind else { return }
        self.isBehind = isBehind
        metrics.streamIsBehind(isBehind)
        if plainLogger.logLevel <= .debug { traceStep() }
    }

    /// Logs how far the client was brought: the group of its pod, and of each type the revision sent and acknowledged.
    private func traceStep() {
        let account = machine.account
        var metadata: Logger.Metadata = ["group": account.group.map { "\($0)" } ?? "none"]
        for type in account.types.map(\.summary) {
            metadata[type.type] = "\(type.sent ?? "nothing") sent, \(type.acknowledged ?? "nothing") acknowledged"
        }
        logger.debug(isBehind ? "the client is sent changes" : "the client is in step", metadata: metadata)
    }

    private func tellProgress(_ id: StreamID) {
        guard broadcaster.tracksProgress, !isProgressNoted else { return }
        isProgressNoted = true
        broadcaster.onLoop((id, self)) { $0.noteProgress($1.0, $1.1) }
    }

    /// How far the client is, where that has changed since it was last asked for.
    nonisolated func takeProgress() -> StreamProgress? {
        onLoop(()) { stream, _ in
            stream.isProgressNoted = false
            guard !stream.hasEnded else { return nil }
            let progress = stream.machine.progress
            guard progress != stream.told else { return nil }
            stream.told = progress
            return progress
        }
    }

    /// The cache logs it: it knows whose the culprits are.
    private func report(_ rejection: Rejection, _ id: StreamID) {
        metrics.rejected(rejection.type)
        if let news = rejections.news(in: rejection) { broadcaster.assumeIsolated { $0.note(id, news) } }
        if machine.hasAddressConflicts { watchAddresses() }
    }

    func finish(_ status: Status) {
        guard !hasEnded else { return }
        responder.finish(status)
        if status.code != .ok { logger.info("stream ends", metadata: ["status": "\(status)"]) }
        leave()
    }

    private func end() {
        if !hasEnded && hasNode { logger.info("stream ended") }
        leave()
        metrics.streamEnded(method)
    }

    private func leave() {
        hasEnded = true
        behindSince = nil
        followStep()
        names.close(limits)
        unanswered = UnansweredBytes()
        for timer in timers.values { broadcaster.loop.cancel(timer) }
        timers = [:]
        guard let id else { return }
        self.id = nil
        broadcaster.assumeIsolated { $0.detach(id) }
    }
}
