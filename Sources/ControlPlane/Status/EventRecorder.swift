public import Kubernetes
public import Logging
public import ServiceLifecycle

/// Writes Events about VirtualServices. What can't be written is dropped: conditions say the same.
public actor EventRecorder: Service {
    private static let capacity = 256
    private var journal: EventJournal
    private var pending: [APIRequest] = []
    private var sleepsUntil: Duration?
    private var hasSaidForbidden = false
    private let client: any APIClient
    private let leadership: Leadership
    private let time: any TimeSource
    private let bell = Bell()
    private let logger: Logger

    /// Makes a recorder.
    /// - Parameter replica: this replica's name, the reporting instance.
    public init(client: any APIClient, replica: String, leadership: Leadership, time: any TimeSource, logger: Logger) {
        journal = EventJournal(instance: replica)
        self.client = client
        self.leadership = leadership
        self.time = time
        self.logger = logger
    }

    /// Takes events; at most so many wait to be written, the rest is dropped.
    func record(_ events: [ServiceEvent]) {
        for event in events {
            guard let request = journal.record(event, now: time.now, microseconds: time.microseconds) else { continue }
            if pending.count < EventRecorder.capacity { pending.append(request) }
        }
        bell.ring()
    }

    /// Writes until cancelled or shut down.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in bell.rings.cancelOnGracefulShutdown() {
                pending += journal.due(now: time.now).prefix(max(0, EventRecorder.capacity - pending.count))
                let requests = pending
                pending = []
                for request in requests where leadership.isHeld { await send(request) }
                if let due = journal.nextDue, sleepsUntil.map({ due < $0 }) ?? true {
                    sleepsUntil = due
                    group.addTask { await self.ring(at: due) }
                }
            }
            group.cancelAll()
        }
    }

    private func ring(at instant: Duration) async {
        try? await time.sleep(until: instant)
        if sleepsUntil == instant { sleepsUntil = nil }
        bell.ring()
    }

    private func send(_ request: APIRequest) async {
        do {
            let response = try await client.send(request, within: .seconds(10), time: time)
            switch WriteOutcome(response) {
            case .written:
                hasSaidForbidden = false
                return
            case .forbidden(let message) where !hasSaidForbidden:
                hasSaidForbidden = true
                logger.error(
                    "may not \(request.method == .post ? "create" : "patch") events.k8s.io/events; trying on: check the account's role",
                    metadata: ["error": "\(message)"])
                return
            default: break
            }
            if request.method == .patch, response.status == 404, let name = request.path.split(separator: "/").last {
                journal.lost(name: String(name))
            }
            logger.debug(
                "event dropped",
                metadata: ["error": "\(APIStatus(body: response.body)?.message ?? "HTTP \(response.status)")"])
        } catch {
            logger.debug("event dropped", metadata: ["error": "\(error)"])
        }
    }
}
