import Domain
import HeapModule

/// Who may have which name and port on the Envoys of one group.
///
/// Units are accepted in order of age: a unit is accepted when no older *accepted* unit has one of its claims. So the outcome
/// depends on the set of units alone, not on the order in which they came. A change re-examines only units that share a
/// claim with one that changed.
struct ClaimTable {
    /// The age of a unit: creation time, namespace, name, place in the object.
    struct Seniority: Comparable {
        let creationSeconds: Int64
        let service: ObjectKey
        let place: Int

        static func < (left: Seniority, right: Seniority) -> Bool {
            (left.creationSeconds, left.service, left.place) < (right.creationSeconds, right.service, right.place)
        }
    }

    private struct Claimant {
        let seniority: Seniority
        let claims: [Claim]
        var isAccepted: Bool
    }

    private struct Candidate: Comparable {
        let seniority: Seniority
        let unit: UnitID

        static func < (left: Candidate, right: Candidate) -> Bool { left.seniority < right.seniority }
        static func == (left: Candidate, right: Candidate) -> Bool { left.seniority == right.seniority }
    }

    /// Who wants one claim: nearly always one unit, for which no set is worth its memory.
    private struct Contest {
        /// Who has the claim.
        var holder: UnitID?
        var first: UnitID?
        var others: Set<UnitID> = []

        mutating func insert(_ unit: UnitID) {
            if first == nil { first = unit } else { others.insert(unit) }
        }

        mutating func remove(_ unit: UnitID) {
            if holder == unit { holder = nil }
            if first == unit { first = others.popFirst() } else { others.remove(unit) }
        }

        var isEmpty: Bool { first == nil }
        var units: some Sequence<UnitID> { [others, first.map { [$0] } ?? []].joined() }
    }

    private var claimants: [UnitID: Claimant] = [:]
    private var contests: [Claim: Contest] = [:]
    private var waiting = Heap<Candidate>()

    func isAccepted(_ unit: UnitID) -> Bool { claimants[unit]?.isAccepted ?? false }

    /// Adds a unit, not yet accepted; `settle` decides.
    mutating func insert(_ unit: UnitID, _ seniority: Seniority, claims: [Claim]) {
        claimants[unit] = Claimant(seniority: seniority, claims: claims, isAccepted: false)
        for claim in claims { contests[claim, default: Contest()].insert(unit) }
        waiting.insert(Candidate(seniority: seniority, unit: unit))
    }

    mutating func remove(_ unit: UnitID) {
        guard let claimant = claimants.removeValue(forKey: unit) else { return }
        for claim in claimant.claims {
            contests[claim]?.remove(unit)
            if contests[claim]?.isEmpty == true { contests[claim] = nil }
        }
        if claimant.isAccepted { requeue(juniorsOf: claimant) }
    }

    /// Decides about every unit touched since the last call; returns the units whose state is new, oldest first.
    mutating func settle() -> [(unit: UnitID, isAccepted: Bool)] {
        var decisions: [(UnitID, Bool)] = []
        while let candidate = waiting.popMin() {
            // A unit that came back with another age waits in its new place, too.
            guard let claimant = claimants[candidate.unit], claimant.seniority == candidate.seniority else { continue }
            let isAccepted = winners(over: claimant).isEmpty
            guard isAccepted != claimant.isAccepted else { continue }
            claimants[candidate.unit]?.isAccepted = isAccepted
            decisions.append((candidate.unit, isAccepted))
            // Only juniors can be affected, so that working in order of age visits each unit with its final seniors.
            if isAccepted { take(candidate.unit, claimant) } else { letGo(candidate.unit, claimant) }
        }
        return decisions
    }

    /// Why `unit` is not served: each claim that an older accepted unit has.
    func conflicts(of unit: UnitID) -> [Conflict] {
        guard let claimant = claimants[unit], !claimant.isAccepted else { return [] }
        return winners(over: claimant).map { Conflict(claim: $0.claim, loser: unit, winner: $0.unit) }
    }

    /// Whom `unit` keeps from being served: each younger unit that wants one of its claims.
    func victims(of unit: UnitID) -> [Conflict] {
        guard let claimant = claimants[unit], claimant.isAccepted else { return [] }
        return claimant.claims.flatMap { claim in
            (contests[claim].map { Array($0.units) } ?? []).compactMap { other in
                guard let rival = claimants[other], claimant.seniority < rival.seniority else { return nil }
                return Conflict(claim: claim, loser: other, winner: unit)
            }
        }
    }

    /// The other objects that want one of `claims`.
    func rivals(of service: ObjectKey, _ claims: [Claim]) -> Set<ObjectKey> {
        claims.reduce(into: []) { rivals, claim in
            guard let contest = contests[claim], !contest.others.isEmpty || contest.first?.service != service else { return }
            for unit in contest.units where unit.service != service { rivals.insert(unit.service) }
        }
    }

    /// Who has what `claim` names.
    func holder(of claim: Claim) -> UnitID? { contests[claim]?.holder }

    /// The older units that have a claim of `claimant`.
    private func winners(over claimant: Claimant) -> [(claim: Claim, unit: UnitID)] {
        claimant.claims.compactMap { claim in
            guard let holder = contests[claim]?.holder, let other = claimants[holder], other.seniority < claimant.seniority else {
                return nil
            }
            return (claim, holder)
        }
    }

    /// The unit has its claims now; a younger one that had one of them is looked at again.
    private mutating func take(_ unit: UnitID, _ claimant: Claimant) {
        for claim in claimant.claims {
            let former = contests[claim]?.holder
            contests[claim]?.holder = unit
            guard let former, former != unit, let other = claimants[former] else { continue }
            waiting.insert(Candidate(seniority: other.seniority, unit: former))
        }
    }

    private mutating func letGo(_ unit: UnitID, _ claimant: Claimant) {
        for claim in claimant.claims where contests[claim]?.holder == unit { contests[claim]?.holder = nil }
        requeue(juniorsOf: claimant)
    }

    private mutating func requeue(juniorsOf claimant: Claimant) {
        for claim in claimant.claims {
            for unit in contests[claim].map({ Array($0.units) }) ?? [] {
                guard let other = claimants[unit], claimant.seniority < other.seniority else { continue }
                waiting.insert(Candidate(seniority: other.seniority, unit: unit))
            }
        }
    }
}
