import Domain
import EnvoyAPI
import GRPC
import Logging
import Transport
import XDS

/// Owns one stream of an Envoy, in either form: decodes what it sends, lets the state machine decide, and performs that.
///
/// It is pinned to the loop of its connection; the transport and the loop's broadcaster call it there, synchronously.
actor DiscoveryStream: RPCReceiver {
    /// How long a client that came back has to ask for its listeners before its old clusters are cleared away.
    private static let reconnectGrace = Duration.seconds(1)

    /// Bytes that a client may leave unread while it goes on asking for what there is not.
    private static let unreadLimit = 1 << 20

    private nonisolated let responder: any RPCResponder
    private nonisolated let broadcaster: Broadcaster
    private let metrics: StreamMetrics
    private var logger: Logger
    private let method: DiscoveryMethod
    private let peer: String
    private let waitingLog: WaitingLog
    private let answerTimeout: Duration
    /// What the client must show before it is served; nil once it has, and where nothing is asked.
    private var access: StreamAccess?
    private var machine: StreamForm
    /// Answers of the client so far.
    private var answerCount = 0
    private var isWatchingAnswers = false
    private var told: StreamProgress?
    private var id: StreamID?
    private var nodeCluster = ""
    private var hasNode = false
    private var isAssigned = false
    private var wasReportedWaiting = false
    private var hasEnded = false
    /// What is to be cancelled at the stream's end: a timer of five minutes left behind by each client that only passes by adds up.
    private var timers: [Purpose: TimerToken] = [:]

    /// What a timer is for; there is one of each at most.
    private enum Purpose { case grace, identity, answers }

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(
        _ method: DiscoveryMethod, peer: String, responder: any RPCResponder, broadcaster: Broadcaster, metrics: StreamMetrics,
        waitingLog: WaitingLog, answerTimeout: Duration, access: StreamAccess? = nil, logger: Logger
    ) {
        self.method = method
        self.peer = peer
        self.waitingLog = waitingLog
        self.access = access
        self.answerTimeout = answerTimeout
        machine = StreamForm(method.form)
        self.responder = responder
        self.broadcaster = broadcaster
        self.metrics = metrics
        self.logger = logger
        metrics.streamBegan()
    }

    // MARK: From the transport, on the loop

    nonisolated func received(_ message: [UInt8]) { assumeIsolated { $0.take(message) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.takeEnd() } }
    nonisolated func drained() {}
    nonisolated func shutdown() { assumeIsolated { $0.finish(Status(.unavailable, "the server ends this stream; reconnect")) } }
    nonisolated func closed() { assumeIsolated { $0.end() } }

    // MARK: From the broadcaster, on the loop

    nonisolated func assigned(_ position: Position, pod: Pod?) { assumeIsolated { $0.assign(position, pod) } }
    nonisolated func updated(_ update: GroupUpdate) { assumeIsolated { $0.perform($0.machine.updated(update)) } }
    nonisolated func answered(_ results: [FetchResult]) { assumeIsolated { $0.perform($0.machine.answered(results)) } }

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
        if wasReportedWaiting {
            wasReportedWaiting = false
            logger.notice("a pod with the Envoy's node id is known now: it is served")
        }
        perform(machine.assigned(position))
    }

    private func take(_ message: [UInt8]) {
        guard !hasEnded else { return }
        var request: StreamForm.Request
        do {
            request = try machine.decode(message)
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
        if ResourceType(typeURL: request.typeURL) == nil, responder.pendingByteCount > Self.unreadLimit {
            finish(Status(.resourceExhausted, "answers are not read"))
            return
        }
        perform(machine.received(request))
    }

    /// A client that says no more still reads what it asked for only when that is one answer.
    private func takeEnd() {
        if method.form != .unary || !hasNode { finish(.ok) }
    }

    /// The first request says who the Envoy is; later ones may say it again.
    private func identify(_ request: StreamForm.Request) -> Bool {
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
        logger[metadataKey: "node"] = "\(nodeID)"
        nodeCluster = String(request.nodeCluster.prefix(256))
        logger.info("stream began", metadata: ["cluster": "\(nodeCluster)", "form": "\(method.form)"])
        id = broadcaster.assumeIsolated { $0.attach(self, nodeID: nodeID) }
        timers[.grace] = broadcaster.loop.schedule(after: Self.reconnectGrace) { [weak self] in
            self?.assumeIsolated { $0.perform($0.machine.graceElapsed()) }
        }
        watchIdentity()
        return true
    }

    /// Says of a client that has waited for its pod for long that it does. Until everything has been read, all streams wait.
    private func watchIdentity() {
        guard !hasEnded, !isAssigned else { return }
        let begins = waitingLog.isDue
        timers[.identity] = broadcaster.loop.schedule(after: waitingLog.patience) { [weak self] in
            self?.assumeIsolated { begins ? $0.reportWaiting() : $0.watchIdentity() }
        }
    }

    private func reportWaiting() {
        guard !hasEnded, !isAssigned else { return }
        wasReportedWaiting = waitingLog.report(with: logger)
    }

    /// Looks, as long as there is something that the client has not answered, whether it has answered anything since the last look.
    private func watchAnswers() {
        guard !isWatchingAnswers, machine.inFlightCount > 0 else { return }
        isWatchingAnswers = true
        let before = answerCount
        timers[.answers] = broadcaster.loop.schedule(after: answerTimeout) { [weak self] in
            self?.assumeIsolated { $0.checkAnswers(since: before) }
        }
    }

    private func checkAnswers(since before: Int) {
        guard !hasEnded else { return }
        isWatchingAnswers = false
        if machine.inFlightCount > 0, answerCount == before {
            finish(Status(.deadlineExceeded, "no answer to any response for \(answerTimeout)"))
        } else {
            watchAnswers()
        }
    }

    private func perform(_ actions: [DeltaAction]) {
        guard !hasEnded, let id else { return }
        var fetches: [Fetch] = []
        for action in actions {
            switch action {
            case .send(let head, let body):
                let message = OutboundMessage(head: head, body: body)
                metrics.pushed(byteCount: message.byteCount)
                responder.send(message)
                if method.form == .unary {
                    finish(.ok)
                    return
                }
            case .fetch(let fetch): fetches.append(fetch)
            case .release(let group): broadcaster.assumeIsolated { $0.release(id, group) }
            case .rejected(let rejection): report(rejection)
            case .resync:
                logger.warning("the client is too far behind to be brought up to date by steps; it has to reconnect")
                finish(Status(.unavailable, "too far behind; reconnect and say what you have"))
                return
            }
        }
        if !fetches.isEmpty { broadcaster.assumeIsolated { $0.ask(id, fetches) } }
        tellProgress(id)
        watchAnswers()
    }

    private func tellProgress(_ id: StreamID) {
        guard broadcaster.tracksProgress else { return }
        let progress = machine.progress
        guard progress != told else { return }
        told = progress
        broadcaster.assumeIsolated { $0.note(id, progress) }
    }

    private func report(_ rejection: Rejection) {
        metrics.rejected(rejection.type)
        let culprits = rejection.culprits.isEmpty ? "not named yet" : rejection.culprits.joined(separator: ", ")
        logger.error(
            "the Envoy rejected configuration; what it rejected is not sent again until it changes",
            metadata: ["type": "\(rejection.type)", "resources": "\(culprits)", "message": "\(rejection.message.prefix(2000))"])
    }

    private func finish(_ status: Status) {
        guard !hasEnded else { return }
        responder.finish(status)
        if status.code != .ok { logger.info("stream ends", metadata: ["status": "\(status)"]) }
        leave()
    }

    private func end() {
        if !hasEnded && hasNode { logger.info("stream ended") }
        leave()
        metrics.streamEnded()
    }

    private func leave() {
        hasEnded = true
        for timer in timers.values { broadcaster.loop.cancel(timer) }
        timers = [:]
        guard let id else { return }
        self.id = nil
        broadcaster.assumeIsolated { $0.detach(id) }
    }
}

extension DeltaRequest {
    init(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) {
        self.init(
            typeURL: request.typeURL, subscribe: request.resourceNamesSubscribe, unsubscribe: request.resourceNamesUnsubscribe,
            held: HeldResources(request.initialResourceVersions), nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? String(request.errorDetail.message.prefix(4096)) : nil)
    }
}
