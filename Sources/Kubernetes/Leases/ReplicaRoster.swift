/// Which replicas live, by their leases as seen on the local monotonic clock, and for how long the entries of the others count.
public struct ReplicaRoster: Sendable {
    /// How a replica stands.
    public enum Standing: Hashable, Sendable {
        /// Its entries count, and are waited for.
        case live
        /// It is gone, but its Envoys may be on their way to another: its entries still count.
        case leaving
        /// Its entries count no more and are to be cleared.
        case gone
    }

    /// How long a lease may go without a change that is seen.
    public static let leaseDuration = Duration.seconds(15)
    /// How long the Envoys of a replica that is gone have to appear at another: Envoy's longest delay between attempts.
    public static let handover = Duration.seconds(30)
    /// How long entries of a replica that is gone count at most, while others have yet to write theirs.
    public static let longestHandover = Duration.seconds(600)
    /// Between two looks at the leases.
    public static let lookPeriod = Duration.seconds(5)
    /// Looks further apart than that have missed renewals: what time passed between them says nothing about who lives.
    static let longestGap = lookPeriod * 2

    private struct Sighting: Hashable {
        var record: LeaseRecord
        var renewal: String
        var resourceVersion: String
        var changedAt: Duration
        var backlog: Int
    }

    private let own: String
    private var sightings: [String: Sighting] = [:]
    private var lostAt: [String: Duration] = [:]
    /// When others last wrote an entry, as far as the watch has shown.
    private var heardAt: [String: Duration] = [:]
    /// The first of the looks that came without a gap, and the last look.
    private var looks: (first: Duration, last: Duration)?
    private let isAlone: Bool

    /// Makes a roster that has seen nothing.
    /// - Parameter own: this replica's name: it always lives.
    public init(own: String) {
        self.own = own
        isAlone = false
    }

    /// Makes the roster of a replica that must be the only one, and so looks at no leases.
    public init(alone own: String, now: Duration) {
        self.own = own
        isAlone = true
        looks = (now, now)
    }

    /// Whether the leases have ever been read: until then nothing is known of others.
    public var hasLooked: Bool { looks != nil }

    /// Takes a complete list of the replicas' leases.
    public mutating func observe(_ leases: [ObservedLease], now: Duration) {
        if let looks, now - looks.last > ReplicaRoster.longestGap {
            bridge(from: looks.last, to: now)
            self.looks = (now, now)
        } else {
            looks = (looks?.first ?? now, now)
        }
        var seen: [String: Sighting] = [:]
        for lease in leases where !lease.record.holder.isEmpty {
            let name = lease.record.holder
            let old = sightings[name]
            let isUnchanged = old?.record == lease.record && old?.renewal == lease.renewal
            seen[name] = Sighting(
                record: lease.record, renewal: lease.renewal, resourceVersion: lease.resourceVersion,
                changedAt: isUnchanged ? old?.changedAt ?? now : now,
                backlog: lease.annotations[LeaseRequests.backlogAnnotation].flatMap { Int($0) } ?? 0)
        }
        for (name, sighting) in sightings where seen[name] == nil {
            // A lease that the leader deletes has run out long before.
            lostAt[name] = min(now, sighting.changedAt + ReplicaRoster.leaseDuration)
        }
        for name in seen.keys { lostAt[name] = nil }
        // What was lost longer ago than anything is remembered for is as gone as what was never seen.
        lostAt = lostAt.filter { now - $0.value < ReplicaRoster.longestHandover }
        sightings = seen
    }

    /// Takes when entries of other replicas, by name, were last seen to be written: a replica may write before its lease is seen.
    public mutating func hear(_ names: [String: Duration]) { heardAt = names }

    /// Nobody could be seen, and perhaps nobody could renew or write: who lived has its time anew, for the others it stood still.
    private mutating func bridge(from last: Duration, to now: Duration) {
        for (name, sighting) in sightings {
            let lived = last - sighting.changedAt < ReplicaRoster.leaseDuration
            sightings[name]?.changedAt = lived ? now : sighting.changedAt + (now - last)
        }
        lostAt = lostAt.mapValues { $0 + (now - last) }
    }

    /// What is known is as old as the last look: time that passes without one makes nobody gone.
    private func horizon(_ now: Duration) -> Duration { isAlone ? now : min(now, looks?.last ?? now) }

    /// How the replica of that name stands, as of the last look.
    public func standing(_ name: String, now: Duration) -> Standing {
        if name == own { return .live }
        guard let looks else { return .live }
        let now = horizon(now)
        let lost: Duration
        // Its lease may have come since.
        if let heard = heardAt[name], sightings[name] == nil, heard > now { return .live }
        if let sighting = sightings[name] {
            guard now - sighting.changedAt >= ReplicaRoster.leaseDuration else { return .live }
            lost = sighting.changedAt + ReplicaRoster.leaseDuration
        } else if let lease = lostAt[name] {
            lost = max(lease, heardAt[name] ?? lease)
        } else {
            // Its lease has never been there when it was looked for.
            lost = max(looks.first, heardAt[name] ?? looks.first)
        }
        let age = now - lost
        return age >= ReplicaRoster.longestHandover || age >= ReplicaRoster.handover && !isCatchingUp(now) ? .gone : .leaving
    }

    /// The live replicas, this one included, in order.
    public func live(now: Duration) -> [String] {
        (sightings.keys.filter { $0 != own && standing($0, now: now) == .live } + [own]).sorted()
    }

    /// Whether another live replica has yet to write entries: what it has not written can't be counted.
    public func isCatchingUp(_ now: Duration) -> Bool {
        let now = horizon(now)
        return sightings.contains { name, sighting in
            name != own && sighting.backlog > 0 && now - sighting.changedAt < ReplicaRoster.leaseDuration
        }
    }

    /// How all replicas stand that have been seen or heard of: when it changes, so does what counts.
    public func standings(now: Duration) -> [String: Standing] {
        var result: [String: Standing] = [:]
        for name in sightings.keys { result[name] = standing(name, now: now) }
        for name in lostAt.keys { result[name] = standing(name, now: now) }
        for name in heardAt.keys { result[name] = standing(name, now: now) }
        // An empty name stands for replicas that have never been heard of.
        result[""] = standing("", now: now)
        return result
    }

    /// Whether the lease of a replica is left over: it is gone, and nobody else deletes it.
    public func isAbandoned(_ lease: ObservedLease, now: Duration) -> Bool {
        sightings[lease.record.holder]?.resourceVersion == lease.resourceVersion
            && standing(lease.record.holder, now: now) == .gone
    }
}
