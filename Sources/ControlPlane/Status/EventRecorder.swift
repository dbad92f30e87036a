public import Kubernetes
public import Logging
public import ServiceLifecycle

/// Writes Events about VirtualServices. What can't be written is dropped: conditions say the same. What is forbidden is tried again
/// later for a while.
public actor EventRecorder: Service {
    private struct Pending {
        let request: APIRequest
        var delay = RetryDelay(longest: .seconds(300))
        var attempts = 0
        var notBefore = Duration.zero
    }

    private static let capacity = 256
    /// What is forbidden is tried so often, for about a quarter of an hour: somebody may put the role right.
    private static let longestTrial = 10
    private var journal: EventJournal
    private var pending: [Pending] = []
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
            if pending.count < EventRecorder.capacity { pending.append(Pending(request: request)) }
        }
        bell.ring()
    }

    /// Writes until cancelled or shut down.
    public func run() async {
        await withDiscardingTaskGroup { group in
            await bell.answer {
                let room = max(0, EventRecorder.capacity - pending.count)
                pending += journal.due(now: time.now).prefix(room).map { Pending(request: $0) }
                let now = time.now
                let ready = pending.filter { $0.notBefore <= now }
                pending.removeAll { $0.notBefore <= now }
                for event in ready where leadership.isHeld { await send(event) }
                let due = (pending.map(\.notBefore) + [journal.nextDue].compactMap(\.self)).min()
                if let due, sleepsUntil.map({ due < $0 }) ?? true {
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

    /// Tries later, beside the others, which may be allowed.
    private func retry(_ event: Pending) {
        guard event.attempts < EventRecorder.longestTrial, pending.count < EventRecorder.capacity else { return }
        var event = event
        event.attempts += 1
        event.notBefore = time.now + event.delay.fail(random: time.random)
        pending.append(event)
    }

    private func send(_ event: Pending) async {
        let request = event.request
        do {
            let response = try await client.send(request, within: .seconds(10), time: time)
            switch WriteOutcome(response) {
            case .written:
                hasSaidForbidden = false
                return
            case .forbidden(let message):
                retry(event)
                guard !hasSaidForbidden else { return }
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
