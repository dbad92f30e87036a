import DequeModule
import Domain
import HeapModule
import Kubernetes

/// Which VirtualServices have to be looked at, and what to write next: within the rate, one write an object at a time.
///
/// An object is looked at when something about it changes or a time has come, never for the others' sake.
struct StatusBoard: Sendable {
    /// A write to send.
    struct Job: Sendable {
        let key: ObjectKey
        let write: StatusWrite
        let request: APIRequest
    }

    private struct Alarm: Comparable, Sendable {
        let at: Duration
        let key: ObjectKey
        static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
    }

    private let replica: String
    private let settings: StatusSettings
    private var objects: [ObjectKey: ObjectStatus] = [:]
    private var urgent = KeyQueue()
    private var ready = KeyQueue()
    /// The objects to look at. One that becomes urgent is in both queues: there is nothing to do when its second turn comes.
    private var queued: Set<ObjectKey> = []
    private var alarms = Heap<Alarm>()
    /// The earliest alarm of each object, so that looking at it again and again adds none.
    private var alarmAt: [ObjectKey: Duration] = [:]
    private var bucket: TokenBucket
    private var backoff = RetryDelay()
    private var pausedUntil: Duration = .zero
    private var forbidden = ForbiddenWrites()
    /// The keys of a relist that the watch has told so far.
    private var relist: Set<ObjectKey>?
    /// When entries of other replicas, by name, were last seen to be written. What anybody could write there is bounded.
    private(set) var heard: [String: Duration] = [:]
    private static let longestHeard = 1000
    /// What the conditions of all objects say.
    private(set) var conditions = ConditionCounts()
    /// Events to record.
    private var events: [ServiceEvent] = []
    /// Until when no status is written, because the installed schema does not take it. Exits: that time, or a relist, which a new
    /// schema brings about.
    private var refusedUntil: Duration?

    init(replica: String, settings: StatusSettings) {
        self.replica = replica
        self.settings = settings
        bucket = TokenBucket(rate: settings.rate, burst: settings.burst)
    }

    /// Whether to write status now: the installed schema takes it, as far as is known.
    mutating func canWriteStatus(now: Duration) -> Bool {
        guard let until = refusedUntil else { return true }
        guard now >= until else { return false }
        refusedUntil = nil
        enqueueAll()
        return true
    }

    /// Objects that are to be looked at.
    var backlog: Int { queued.count }

    mutating func update(_ report: ServiceReport, now: Duration) {
        let isNew = objects[report.key, default: ObjectStatus(replica: replica, settings: settings)].update(report, now: now)
        if isNew { enqueue(report.key) }
    }

    /// The object is served no more.
    mutating func remove(_ key: ObjectKey) {
        objects[key]?.removeReport()
        tidy(key)
    }

    /// Takes what the watch of VirtualServices shows.
    mutating func observe(_ event: WatchEvent<ObservedObject>, now: Duration) {
        switch event {
        case .restarted:
            relist = []
            if refusedUntil != nil { refusedUntil = .zero }
        case .applied(let object):
            relist?.insert(object.key)
            hear(object, now)
            conditions.replace(objects[object.key]?.observed?.status, by: object.status)
            objects[object.key, default: ObjectStatus(replica: replica, settings: settings)].observe(object)
            enqueue(object.key)
        case .deleted(let key): removeObserved(key)
        case .synced:
            guard let told = relist else { return }
            relist = nil
            for key in objects.keys.filter({ !told.contains($0) }) { removeObserved(key) }
        }
    }

    /// Who writes an entry lives, though its lease may not have been seen yet.
    private mutating func hear(_ object: ObservedObject, _ now: Duration) {
        let old = objects[object.key]?.observed?.status.replicas ?? []
        for entry in object.status.replicas where entry.name != replica && !old.contains(entry) {
            if heard.count >= StatusBoard.longestHeard { heard = [:] }
            heard[entry.name] = now
        }
    }

    /// Who leads or lives has changed: every object is looked at again.
    mutating func enqueueAll() {
        for key in objects.keys { enqueue(key) }
    }

    /// The next write, if the rate allows one and one is due.
    mutating func next(_ context: StatusContext) -> Job? {
        while let alarm = alarms.min, alarm.at <= context.now {
            alarms.removeMin()
            if alarmAt[alarm.key] == alarm.at { alarmAt[alarm.key] = nil }
            enqueue(alarm.key)
        }
        // Others want the thread too: what remains is looked at when asked again, which `nextWake` says to do at once.
        var budget = 500
        while budget > 0, context.now >= pausedUntil, bucket.nextToken(now: context.now) <= context.now,
            let key = urgent.popFirst() ?? ready.popFirst()
        {
            budget -= 1
            guard queued.remove(key) != nil else { continue }
            if let until = forbidden.banned(key, now: context.now) {
                setAlarm(key, until)
                continue
            }
            guard let step = objects[key]?.next(context, events: &events) else { continue }
            switch step {
            case .idle: break
            case .wait(let until): setAlarm(key, until)
            case .write(let write):
                guard let request = objects[key]?.request(write, seconds: context.seconds) else {
                    objects[key]?.finish(write, .gone, now: context.now)
                    continue
                }
                _ = bucket.take(now: context.now)
                return Job(key: key, write: write, request: request)
            }
        }
        return nil
    }

    /// When `next` is worth asking again, if nothing happens before.
    mutating func nextWake(now: Duration) -> Duration? {
        let alarm = [alarms.min?.at, refusedUntil].compactMap(\.self).min()
        guard !queued.isEmpty else { return alarm }
        let token = max(pausedUntil, bucket.nextToken(now: now))
        return min(alarm ?? token, token)
    }

    /// Takes what came of a write.
    /// - Parameter random: from 0 to 1.
    mutating func finish(_ job: Job, _ outcome: WriteOutcome, now: Duration, random: Double) {
        objects[job.key]?.finish(job.write, outcome, now: now)
        switch outcome {
        case .unavailable(let after, _): pause(now + max(after ?? .zero, backoff.fail(random: random)))
        case .forbidden: forbidden.fail(job.key, now: now, random: random)
        case .unsupported where job.write.isStatus: refusedUntil = now + settings.schemaRetryTime
        case .written:
            backoff.succeed()
            forbidden.succeed(job.key)
        default: backoff.succeed()
        }
        enqueue(job.key)
        tidy(job.key)
    }

    /// The events since the last call.
    mutating func takeEvents() -> [ServiceEvent] {
        defer { events = [] }
        return events
    }

    private mutating func pause(_ until: Duration) { pausedUntil = max(pausedUntil, until) }

    private mutating func removeObserved(_ key: ObjectKey) {
        conditions.replace(objects[key]?.observed?.status, by: nil)
        objects[key]?.removeObserved()
        tidy(key)
    }

    private mutating func tidy(_ key: ObjectKey) {
        guard objects[key]?.isEmpty == true else { return }
        objects[key] = nil
        forbidden.forget(key)
    }

    private mutating func enqueue(_ key: ObjectKey) {
        guard let object = objects[key] else { return }
        let isNew = queued.insert(key).inserted
        if object.isUrgent { urgent.append(key) } else if isNew { ready.append(key) }
    }

    private mutating func setAlarm(_ key: ObjectKey, _ at: Duration) {
        if let earlier = alarmAt[key], earlier <= at { return }
        alarmAt[key] = at
        alarms.insert(Alarm(at: at, key: key))
    }
}

/// Keys in the order in which they came, each once.
private struct KeyQueue: Sendable {
    private var keys: Deque<ObjectKey> = []
    private var members: Set<ObjectKey> = []

    mutating func append(_ key: ObjectKey) {
        if members.insert(key).inserted { keys.append(key) }
    }

    mutating func popFirst() -> ObjectKey? {
        guard let key = keys.popFirst() else { return nil }
        members.remove(key)
        return key
    }
}
