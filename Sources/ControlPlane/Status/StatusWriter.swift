import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle

/// Writes what users see on VirtualServices: conditions, this replica's counts, the removal of our finalizer.
///
/// It never delays configuration: it pulls reports when it has time. Events of the watch of VirtualServices come by `receive`.
public actor StatusWriter: Service, WatchEventReceiver {
    private var board: StatusBoard
    private var inFlight = 0
    private var wake: Duration?
    private var wasLeader = false
    private var standings: [String: ReplicaRoster.Standing] = [:]
    private var hasSaidForbidden = false
    private var hasSaidUnsupported = false
    private let settings: StatusSettings
    private let client: any APIClient
    private let reports: any ServiceReports
    private let presence: ReplicaPresence?
    private let roster: ReplicaRoster
    private let leadership: Leadership
    private let backlog: EntryBacklog
    private let recorder: EventRecorder
    private let time: any TimeSource
    private let bell: Bell
    private let logger: Logger

    /// Makes a writer that has nothing to write.
    /// - Parameters:
    ///   - replica: this replica's name, as in its lease.
    ///   - presence: who else lives; nil for a replica that is alone.
    ///   - bell: rung by the election and by `presence`; the writer is its consumer.
    public init(
        client: any APIClient, reports: any ServiceReports, replica: String, settings: StatusSettings = StatusSettings(),
        presence: ReplicaPresence?, leadership: Leadership, backlog: EntryBacklog, recorder: EventRecorder,
        time: any TimeSource, bell: Bell, logger: Logger
    ) {
        board = StatusBoard(replica: replica, settings: settings)
        self.settings = settings
        self.client = client
        self.reports = reports
        self.presence = presence
        roster = ReplicaRoster(alone: replica, now: time.now)
        self.leadership = leadership
        self.backlog = backlog
        self.recorder = recorder
        self.time = time
        self.bell = bell
        self.logger = logger
    }

    /// What the conditions of all objects say, as far as the watch has shown them.
    public var conditions: ConditionCounts { board.conditions }

    /// Takes a VirtualService as the watch shows it.
    public func receive(_ event: WatchEvent<ObservedObject>) {
        board.observe(event, now: time.now)
        bell.ring()
    }

    /// Writes until cancelled or shut down; then what is on its way is given up.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow() }
            await bell.answer {
                var roster = await presence?.roster ?? roster
                roster.hear(board.heard)
                for job in look(roster) { group.addTask { await self.perform(job) } }
                let events = board.takeEvents()
                if !events.isEmpty { await recorder.record(events) }
                if let wake = newWake() { group.addTask { await self.ring(at: wake) } }
            }
            group.cancelAll()
        }
    }

    private func follow() async {
        for await _ in reports.changes() {
            let removed = await reports.takeRemoved()
            for key in removed { board.remove(key) }
            for report in await reports.take() { board.update(report, now: time.now) }
            bell.ring()
            // While calls come and go the Envoys' acknowledgements ring all the time; what comes meanwhile is looked at once.
            try? await time.sleep(until: time.now + settings.reportPause)
        }
    }

    /// All writes that may go now.
    private func look(_ roster: ReplicaRoster) -> [StatusBoard.Job] {
        let now = time.now
        let context = StatusContext(
            now: now, seconds: time.seconds, isLeader: leadership.isHeld, canWriteStatus: board.canWriteStatus(now: now),
            roster: roster)
        let standings = roster.standings(now: now)
        if context.isLeader != wasLeader || standings != self.standings { board.enqueueAll() }
        (wasLeader, self.standings) = (context.isLeader, standings)
        var jobs: [StatusBoard.Job] = []
        while inFlight < settings.concurrency, let job = board.next(context) {
            inFlight += 1
            jobs.append(job)
        }
        backlog.set(board.backlog)
        return jobs
    }

    private func perform(_ job: StatusBoard.Job) async {
        let outcome: WriteOutcome
        if job.write.needsLeadership && !leadership.isHeld {
            outcome = .conflict
        } else {
            do {
                let response = try await client.send(job.request, within: .seconds(10), time: time)
                outcome = WriteOutcome(toStatus: response, hasTests: job.write.hasTests)
            } catch {
                outcome = .unavailable(after: nil, "\(error)")
            }
        }
        if Task.isCancelled { return }
        inFlight -= 1
        say(outcome, job)
        board.finish(job, outcome, now: time.now, random: time.random)
        bell.ring()
    }

    /// The time at which to look again, if nobody is about to ring before.
    private func newWake() -> Duration? {
        // With all hands full, the next that is free rings.
        guard inFlight < settings.concurrency, let next = board.nextWake(now: time.now) else { return nil }
        if let wake, wake <= next { return nil }
        wake = next
        return next
    }

    private func ring(at instant: Duration) async {
        try? await time.sleep(until: instant)
        if wake == instant { wake = nil }
        bell.ring()
    }

    private func say(_ outcome: WriteOutcome, _ job: StatusBoard.Job) {
        let object: Logger.Metadata = ["virtualservice": "\(job.key)"]
        let resource = "\(ObjectKind.group)/virtualservices\(job.write.isStatus ? "/status" : "")"
        switch outcome {
        case .written:
            hasSaidForbidden = false
            if hasSaidUnsupported, job.write.isStatus {
                hasSaidUnsupported = false
                logger.info("status is written again: the installed CRD of VirtualServices takes it")
            }
            logger.debug("written", metadata: object)
        case .conflict, .gone: break
        case .unsupported(let message):
            guard !hasSaidUnsupported else { break }
            hasSaidUnsupported = true
            logger.error(
                "status is not written: the installed CRD of VirtualServices lacks fields; install the one of this release",
                metadata: ["error": "\(message)", "retry": "every \(settings.schemaRetryTime)"])
        case .refused(let message):
            logger.error("the API server refuses \(resource)", metadata: object.merging(["error": "\(message)"]) { $1 })
        case .forbidden(let message):
            guard !hasSaidForbidden else { break }
            hasSaidForbidden = true
            logger.error(
                "may not patch \(resource); trying on: check the account's role", metadata: ["error": "\(message)"])
        case .unavailable(_, let message):
            logger.debug("can't write \(resource) now", metadata: object.merging(["error": "\(message)"]) { $1 })
        }
    }
}
