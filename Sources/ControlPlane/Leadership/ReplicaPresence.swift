import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle
import Synchronization

/// How many status entries a replica has yet to write; told to the others with its lease.
public final class EntryBacklog: Sendable {
    private let count = Atomic(0)

    /// Nothing to write.
    public init() {}

    var value: Int { count.load(ordering: .relaxed) }
    func set(_ value: Int) { count.store(value, ordering: .relaxed) }
}

/// Shows the other replicas that this one lives, by one Lease of its own, and watches theirs.
///
/// One write and one list of a few objects every five seconds, however many VirtualServices there are.
public actor ReplicaPresence: Service {
    /// Who else lives.
    public private(set) var roster: ReplicaRoster
    private let client: any APIClient
    private let namespace: String
    private let replica: String
    private let leadership: Leadership
    private let backlog: EntryBacklog
    private let time: any TimeSource
    private let changed: Bell
    private let logger: Logger
    private var own: ObservedLease?
    private var renewed: Int64 = 0
    private var hasWarned = false

    /// Makes one that has not shown itself.
    /// - Parameters:
    ///   - namespace: where the leases are.
    ///   - replica: this replica's name, unlike that of every other.
    ///   - leadership: who leads deletes the leases of replicas that are gone.
    ///   - changed: rung after each look at the others.
    public init(
        client: any APIClient, namespace: String, replica: String, leadership: Leadership, backlog: EntryBacklog,
        time: any TimeSource, changed: Bell, logger: Logger
    ) {
        roster = ReplicaRoster(own: replica)
        self.client = client
        self.namespace = namespace
        self.replica = replica
        self.leadership = leadership
        self.backlog = backlog
        self.time = time
        self.changed = changed
        self.logger = logger
    }

    /// Renews and looks until cancelled or shut down, then takes its lease away.
    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.renew()
                await self.look()
                try? await self.time.sleep(until: self.time.now + ReplicaRoster.lookPeriod)
            }
        }
        guard !Task.isCancelled, own != nil else { return }
        // Its version is read anew: a renewal that was cut short may have been done.
        guard let own = await read(key(leaseName)), own.record.holder == replica else { return }
        _ = await send(LeaseRequests.delete(key(leaseName), resourceVersion: own.resourceVersion), "delete")
    }

    private var leaseName: String { LeaseRequests.replicaLeaseName(replica) }

    private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

    private func renew() async {
        renewed = max(time.microseconds, renewed + 1)
        let record = LeaseRecord(
            holder: replica, durationSeconds: Int(ReplicaRoster.leaseDuration.components.seconds),
            acquired: own?.record.acquired ?? renewed, renewed: renewed, transitions: 0)
        let labels = [LeaseRequests.replicaLabel.name: LeaseRequests.replicaLabel.value]
        let annotations = [LeaseRequests.backlogAnnotation: "\(backlog.value)"]
        let key = key(leaseName)
        let request: APIRequest
        let verb: String
        if let own {
            (request, verb) = (
                LeaseRequests.update(
                    key, record: record, resourceVersion: own.resourceVersion,
                    labels: own.labels.merging(labels) { $1 }, annotations: own.annotations.merging(annotations) { $1 }), "update"
            )
        } else {
            (request, verb) = (
                LeaseRequests.create(key, record: record, labels: labels, annotations: annotations), "create"
            )
        }
        guard let response = await send(request, verb) else { return }
        switch response.status {
        case 200...299: own = LeaseRequests.lease(response.body)
        case 404: own = nil
        case 409: own = await read(key)
        default: break
        }
    }

    /// What an earlier process of this replica left, or what somebody else has changed.
    private func read(_ key: ObjectKey) async -> ObservedLease? {
        guard let response = await send(LeaseRequests.get(key), "get"), response.status == 200 else { return nil }
        return LeaseRequests.lease(response.body)
    }

    private func look() async {
        guard let response = await send(LeaseRequests.listReplicas(namespace: namespace), "list"), response.status == 200,
            let leases = LeaseRequests.leases(response.body)
        else { return }
        roster.observe(leases, now: time.now)
        changed.ring()
        for lease in leases where leadership.isHeld && roster.isAbandoned(lease, now: time.now) {
            _ = await send(LeaseRequests.delete(key(lease.name), resourceVersion: lease.resourceVersion), "delete")
        }
    }

    private func send(_ request: APIRequest, _ verb: String) async -> APIResponse? {
        do {
            let response = try await client.send(request, within: .seconds(4), time: time)
            if [200, 201, 404, 409].contains(response.status) {
                hasWarned = false
            } else {
                warn(APIStatus(body: response.body)?.message ?? "HTTP \(response.status)", verb)
            }
            return response
        } catch {
            if !(error is CancellationError) { warn("\(error)", verb) }
            return nil
        }
    }

    /// Says once what is wrong until something works.
    private func warn(_ message: String, _ verb: String) {
        guard !hasWarned else { return }
        hasWarned = true
        logger.warning(
            "can't \(verb) leases.coordination.k8s.io; trying on",
            metadata: ["namespace": "\(namespace)", "error": "\(message)"])
    }
}
