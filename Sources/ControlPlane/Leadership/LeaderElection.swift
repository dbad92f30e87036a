public import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle

/// Takes part in the election by a Lease, and keeps `Leadership` true.
///
/// Shut it down after those who ask `Leadership`: on shutdown it gives the lease back, so that another takes over at once.
public actor LeaderElection: Service {
    private var machine: LeaseStateMachine
    private let client: any APIClient
    private let lease: ObjectKey
    private let identity: String
    private let leadership: Leadership
    private let time: any TimeSource
    private let changed: Bell
    private let logger: Logger
    private var isLeader = false
    private var holder = ""
    private var hasWarned = false

    /// Makes a candidate.
    /// - Parameters:
    ///   - lease: the Lease; created when it is missing.
    ///   - identity: this replica's name, unlike that of every other.
    ///   - leadership: held while this replica leads.
    ///   - changed: rung when that begins or ends.
    public init(
        client: any APIClient, lease: ObjectKey, identity: String, times: LeaseTimes = LeaseTimes(), leadership: Leadership,
        time: any TimeSource, changed: Bell, logger: Logger
    ) {
        machine = LeaseStateMachine(identity: identity, times: times)
        self.client = client
        self.lease = lease
        self.identity = identity
        self.leadership = leadership
        self.time = time
        self.changed = changed
        self.logger = logger
    }

    /// Takes part until cancelled or shut down.
    public func run() async {
        await cancelWhenGracefulShutdown { await self.elect() }
        await release()
    }

    private func elect() async {
        while !Task.isCancelled {
            let attempt = machine.attempt(now: time.now, microseconds: time.microseconds)
            let result = await send(attempt)
            let delay = machine.receive(result, of: attempt, now: time.now, random: time.random)
            if Task.isCancelled { return }
            note(result)
            guard delay > .zero else { continue }
            try? await time.sleep(until: time.now + delay)
        }
    }

    private func release() async {
        leadership.hold(until: nil)
        // A renewal that was cut short takes one more look; more than a few are not worth the wait.
        for _ in 0..<4 {
            guard !Task.isCancelled, let attempt = machine.release(now: time.now, microseconds: time.microseconds) else { return }
            _ = machine.receive(await send(attempt), of: attempt, now: time.now, random: 0)
        }
    }

    private func note(_ result: LeaseStateMachine.Result) {
        let until = machine.leadership(now: time.now)
        leadership.hold(until: until)
        if case .lease(let lease) = result, lease.record.holder != holder {
            holder = lease.record.holder
            logger.info("leader", metadata: ["holder": "\(holder)", "lease": "\(self.lease)"])
        }
        guard isLeader != (until != nil) else { return }
        isLeader = until != nil
        logger.info(isLeader ? "this replica writes conditions, finalizers and events" : "no longer the leader")
        changed.ring()
    }

    private func send(_ attempt: LeaseStateMachine.Attempt) async -> LeaseStateMachine.Result {
        let (request, verb) =
            switch attempt {
            case .get: (LeaseRequests.get(lease), "get")
            case .create(let record): (LeaseRequests.create(lease, record: record), "create")
            case .update(let record, let old):
                (
                    LeaseRequests.update(
                        lease, record: record, resourceVersion: old.resourceVersion, labels: old.labels,
                        annotations: old.annotations), "update"
                )
            }
        do {
            // Less than the renew deadline, so that one lost answer does not cost the lease.
            let response = try await client.send(request, within: .seconds(4), time: time)
            switch response.status {
            case 200...299:
                if let lease = LeaseRequests.lease(response.body) {
                    hasWarned = false
                    return .lease(lease)
                }
                warn("the answer is no Lease", verb: verb)
            // To a POST it says that the namespace is missing.
            case 404 where verb != "create": return .missing
            case 409: return .conflict
            default: warn(APIStatus(body: response.body)?.message ?? "HTTP \(response.status)", verb: verb)
            }
        } catch {
            if !(error is CancellationError) { warn("\(error)", verb: verb) }
        }
        return .failure
    }

    /// Says once what is wrong until something works.
    private func warn(_ message: String, verb: String) {
        guard !hasWarned else { return }
        hasWarned = true
        logger.warning(
            "can't \(verb) leases.coordination.k8s.io; trying on", metadata: ["lease": "\(lease)", "error": "\(message)"])
    }
}
