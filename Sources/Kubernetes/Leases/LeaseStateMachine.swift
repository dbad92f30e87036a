/// Times of leader election.
public struct LeaseTimes: Hashable, Sendable {
    /// How long others wait without seeing a renewal before they take over.
    public var duration: Duration = .seconds(15)
    /// How long the leader goes on without a renewal that succeeds; below `duration`.
    public var renewDeadline: Duration = .seconds(10)
    /// Between two attempts.
    public var retryPeriod: Duration = .seconds(2)

    /// The times that Kubernetes' own components use.
    public init() {}
}

/// Decides about one Lease for one candidate: when to try, what to write, and whether it leads.
///
/// There are two dimensions. What is known of the lease: nothing yet (next: read it), missing (next: create it), or a version of it
/// (next: update it, if it is ours, free or expired; else read it again). And whether this candidate leads: from a write that
/// names it until the renew deadline after the last one's *start*, a loss that it reads, or its release.
///
/// Whether another's lease has expired is judged by when its record was last *seen to change* on the local monotonic clock;
/// clocks of different machines are never compared.
public struct LeaseStateMachine: Sendable {
    /// What to send.
    public enum Attempt: Hashable, Sendable {
        case get
        case create(LeaseRecord)
        /// Optimistic: only while the lease is this version of it.
        case update(LeaseRecord, replacing: ObservedLease)
    }

    /// What came of it.
    public enum Result: Hashable, Sendable {
        /// The lease as it is now: read, or as written.
        case lease(ObservedLease)
        /// There is none.
        case missing
        /// Somebody else wrote first.
        case conflict
        /// No answer, or a useless one.
        case failure
    }

    private enum Knowledge {
        case unknown
        case missing
        case seen(ObservedLease)
    }

    private let identity: String
    private let times: LeaseTimes
    private var knowledge = Knowledge.unknown
    /// The record last seen and when it was first seen so.
    private var record: (value: LeaseRecord, renewal: String, since: Duration)?
    private var sentAt: Duration = .zero
    /// Until when this candidate leads.
    private var leadsUntil: Duration?
    private var lastRenewed: Int64 = 0

    /// Makes a candidate that knows nothing of the lease.
    public init(identity: String, times: LeaseTimes = LeaseTimes()) {
        self.identity = identity
        self.times = times
    }

    /// Until when this candidate may write as the leader, on the monotonic clock; nil when it may not.
    public func leadership(now: Duration) -> Duration? { leadsUntil.flatMap { now < $0 ? $0 : nil } }

    /// What to send now.
    /// - Parameters:
    ///   - now: monotonic time, as in every call.
    ///   - microseconds: the time since 1970 to write.
    public mutating func attempt(now: Duration, microseconds: Int64) -> Attempt {
        sentAt = now
        // Others look for change: no two renewals are equal, even if the wall clock stands still or goes back.
        let stamp = max(microseconds, lastRenewed + 1)
        switch knowledge {
        case .unknown: return .get
        case .missing:
            lastRenewed = stamp
            return .create(claim(acquired: stamp, renewed: stamp, transitions: 0))
        case .seen(let lease):
            if lease.record.holder == identity {
                lastRenewed = max(stamp, lease.record.renewed + 1)
                return .update(
                    claim(acquired: lease.record.acquired, renewed: lastRenewed, transitions: lease.record.transitions),
                    replacing: lease)
            }
            guard lease.record.holder.isEmpty || hasExpired(lease, now) else { return .get }
            lastRenewed = stamp
            return .update(
                claim(acquired: stamp, renewed: stamp, transitions: lease.record.transitions + 1), replacing: lease)
        }
    }

    /// Takes what came of an attempt.
    /// - Parameters:
    ///   - random: from 0 to 1: candidates spread their attempts.
    /// - Returns: how long to wait before the next attempt.
    public mutating func receive(_ result: Result, of attempt: Attempt, now: Duration, random: Double) -> Duration {
        switch result {
        case .lease(let lease):
            observe(lease, now)
            if lease.record.holder != identity {
                leadsUntil = nil
                return hasExpired(lease, now) || lease.record.holder.isEmpty ? .zero : jittered(random)
            }
            // Only a write proves that we lead: a lease read in our name may be what an earlier process of it left.
            if attempt == .get { return .zero }
            leadsUntil = sentAt + times.renewDeadline
            return times.retryPeriod
        case .missing:
            knowledge = .missing
            leadsUntil = nil
            return attempt == .get ? .zero : jittered(random)
        case .conflict:
            knowledge = .unknown
            return attempt == .get ? jittered(random) : .zero
        case .failure:
            // An update may have been done without our hearing of it: its version would then be another.
            knowledge = .unknown
            return jittered(random)
        }
    }

    /// What to send when shutting down, so that another takes over at once; nil when there is nothing to give up (any more). To be
    /// asked again after `receive`: a renewal that was cut short may have been done.
    public mutating func release(now: Duration, microseconds: Int64) -> Attempt? {
        guard leadership(now: now) != nil else { return nil }
        sentAt = now
        switch knowledge {
        case .unknown: return .get
        case .seen(let lease) where lease.record.holder == identity:
            let stamp = max(microseconds, lease.record.renewed + 1)
            let free = LeaseRecord(
                holder: "", durationSeconds: 1, acquired: stamp, renewed: stamp, transitions: lease.record.transitions)
            return .update(free, replacing: lease)
        case .seen, .missing: return nil
        }
    }

    private mutating func observe(_ lease: ObservedLease, _ now: Duration) {
        if record?.value != lease.record || record?.renewal != lease.renewal {
            record = (lease.record, lease.renewal, now)
        }
        knowledge = .seen(lease)
    }

    /// The holder's own duration counts if it is longer: it may be configured differently.
    private func hasExpired(_ lease: ObservedLease, _ now: Duration) -> Bool {
        guard let record, record.value == lease.record else { return false }
        let promised = Duration.seconds(min(max(lease.record.durationSeconds, 0), 3600))
        return now - record.since >= max(times.duration, promised)
    }

    private func claim(acquired: Int64, renewed: Int64, transitions: Int) -> LeaseRecord {
        LeaseRecord(
            holder: identity, durationSeconds: Int(times.duration.components.seconds), acquired: acquired, renewed: renewed,
            transitions: transitions)
    }

    private func jittered(_ random: Double) -> Duration { times.retryPeriod * (1 + 0.2 * min(max(random, 0), 1)) }
}
