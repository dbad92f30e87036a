import Domain
import Kubernetes

@testable import ControlPlane

/// Replicas and a cluster without threads: time passes when the test says so.
struct Scene {
    struct Replica {
        var board: StatusBoard
        var isLeader: Bool
        var roster: ReplicaRoster
        var events: [ServiceEvent] = []
        var isAlive = true
        var standings: [String: ReplicaRoster.Standing] = [:]
    }

    var cluster = FakeCluster()
    var replicas: [String: Replica] = [:]
    var now = Duration.zero
    /// Whether the watch tells what changes; else `news` pile up.
    var isWatching = true
    let settings: StatusSettings

    init(_ names: [String] = ["a"], leader: String = "a", settings: StatusSettings = StatusSettings()) {
        self.settings = settings
        for name in names { join(name, isLeader: name == leader) }
    }

    /// - Parameter isSeen: whether the others look at the leases right then.
    mutating func join(_ name: String, isLeader: Bool = false, isSeen: Bool = true) {
        replicas[name] = Replica(
            board: StatusBoard(replica: name, settings: settings), isLeader: isLeader, roster: ReplicaRoster(own: name))
        for key in cluster.services.keys { replicas[name]?.board.observe(cluster.observed(key), now: now) }
        if isSeen { renew() }
    }

    mutating func report(_ replica: String, _ report: ServiceReport) { replicas[replica]?.board.update(report, now: now) }

    mutating func kill(_ name: String) { replicas[name]?.isAlive = false }

    mutating func lead(_ name: String) {
        for other in replicas.keys { replicas[other]?.isLeader = other == name }
        replicas[name]?.board.enqueueAll()
    }

    /// Lets time pass in steps of 50 ms; all writes that are due are done at once, in each.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        settle()
        while now < end {
            now += .milliseconds(50)
            if now.components.seconds % 5 == 0, now == .seconds(now.components.seconds) { renew() }
            settle()
        }
    }

    private mutating func renew() {
        let leases = replicas.filter(\.value.isAlive).keys.map { name in
            ObservedLease(
                name: name, resourceVersion: "1",
                record: LeaseRecord(
                    holder: name, durationSeconds: 15, acquired: 0, renewed: now.components.seconds, transitions: 0))
        }
        for name in replicas.keys {
            replicas[name]?.roster.observe(leases, now: now)
            let heard = replicas[name]?.board.heard ?? [:]
            replicas[name]?.roster.hear(heard)
            let standings = replicas[name]?.roster.standings(now: now)
            if standings != replicas[name]?.standings { replicas[name]?.board.enqueueAll() }
            replicas[name]?.standings = standings ?? [:]
        }
    }

    private mutating func settle() {
        tell()
        var isBusy = true
        while isBusy {
            isBusy = false
            for name in replicas.keys.sorted() {
                guard var replica = replicas[name], replica.isAlive else { continue }
                replica.roster.hear(replica.board.heard)
                let context = StatusContext(
                    now: now, seconds: 1_000_000 + now.components.seconds, isLeader: replica.isLeader,
                    canWriteStatus: replica.board.canWriteStatus(now: now), roster: replica.roster)
                if let job = replica.board.next(context) {
                    isBusy = true
                    let outcome = WriteOutcome(toStatus: cluster.send(job.request), hasTests: job.write.hasTests)
                    replica.board.finish(job, outcome, now: now, random: 0.5)
                }
                replica.events += replica.board.takeEvents()
                replicas[name] = replica
            }
            tell()
        }
    }

    private mutating func tell() {
        guard isWatching else { return }
        for key in cluster.news {
            for name in replicas.keys { replicas[name]?.board.observe(cluster.observed(key), now: now) }
        }
        cluster.news = []
    }
}

extension ServiceReport {
    static func of(
        _ key: ObjectKey, in cluster: FakeCluster, generation: Int64 = 1, matched: Int = 1, connected: Int = 1,
        programmed: Int = 1,
        rejection: String? = nil, conflicts: [String] = [], withheld: [String] = [], invalid: [Diagnostic] = [],
        isTerminating: Bool = false,
        withdrawn: Bool = false
    ) -> ServiceReport {
        let service = cluster.services[key]
        return ServiceReport(
            key: key, uid: service?.uid ?? "", generation: generation, resourceVersion: "\(service?.version ?? 0)",
            listenerCount: 4, matched: matched, connected: connected, programmed: programmed, rejection: rejection,
            conflicts: conflicts, withheld: withheld, invalid: invalid, isTerminating: isTerminating,
            finalizers: service?.finalizers ?? [],
            withdrawn: withdrawn)
    }
}
