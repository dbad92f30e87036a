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

    /// A unit's place in `claimants`: a table of claims names units by it, at a twelfth of the memory of the unit's id.
    private typealias Index = Int32

    private struct Claimant {
        let unit: UnitID
        let creationSeconds: Int64
        let place: Int
        let claims: [Claim]
        var isAccepted = false

        var seniority: Seniority { Seniority(creationSeconds: creationSeconds, service: unit.service, place: place) }
    }

    private struct Candidate: Comparable {
        let seniority: Seniority
        let unit: UnitID
        let index: Index

        static func < (left: Candidate, right: Candidate) -> Bool { left.seniority < right.seniority }
        static func == (left: Candidate, right: Candidate) -> Bool { left.seniority == right.seniority }
    }

    /// Who wants one claim: nearly always one unit, so that others are listed apart.
    private struct Contest {
        static let nobody: Index = -1

        /// Who has the claim.
        var holder = nobody
        var first: Index

        /// Puts a new contest into its table, and returns who was first there.
        mutating func note() -> Index { first }
    }

    private var indices: [UnitID: Index] = [:]
    /// Nil at the places in `vacancies`.
    private var claimants: [Claimant?] = []
    private var vacancies: [Index] = []
    private var contests: [Claim: Contest] = [:]
    /// Who wants a claim besides the first, where anybody does.
    private var others: [Claim: Set<Index>] = [:]
    private var waiting = Heap<Candidate>()

    /// Whether anybody wants what another one wants as well.
    var hasRivals: Bool { !others.isEmpty }

    func isAccepted(_ unit: UnitID) -> Bool { claimant(unit)?.isAccepted ?? false }

    /// Adds a unit, not yet accepted; `settle` decides.
    mutating func insert(_ unit: UnitID, _ seniority: Seniority, claims: [Claim]) {
        if indices[unit] != nil { remove(unit) }
        let claimant = Claimant(
            unit: unit, creationSeconds: seniority.creationSeconds, place: seniority.place, claims: claims)
        let index = vacancies.popLast() ?? Index(claimants.count)
        if index == claimants.count { claimants.append(claimant) } else { claimants[Int(index)] = claimant }
        indices[unit] = index
        for claim in claims {
            let first = contests[claim, default: Contest(first: index)].note()
            if first != index { others[claim, default: []].insert(index) }
        }
        waiting.insert(Candidate(seniority: claimant.seniority, unit: unit, index: index))
    }

    /// Takes a unit out; returns whether it was accepted.
    @discardableResult
    mutating func remove(_ unit: UnitID) -> Bool {
        guard let index = indices.removeValue(forKey: unit), let claimant = claimants[Int(index)] else { return false }
        let wanted = claimant.claims.filter { withdraw(index, from: $0) }
        claimants[Int(index)] = nil
        vacancies.append(index)
        if claimant.isAccepted { requeue(juniorsOf: claimant, wanting: wanted) }
        return claimant.isAccepted
    }

    /// Returns whether anybody else wants the claim.
    private mutating func withdraw(_ index: Index, from claim: Claim) -> Bool {
        guard let place = contests.index(forKey: claim) else { return false }
        if contests.values[place].holder == index { contests.values[place].holder = Contest.nobody }
        if contests.values[place].first != index {
            others[claim]?.remove(index)
        } else if let next = others[claim]?.popFirst() {
            contests.values[place].first = next
        } else {
            contests.remove(at: place)
            return false
        }
        if others[claim]?.isEmpty == true { others[claim] = nil }
        return true
    }

    private func claimant(_ unit: UnitID) -> Claimant? { indices[unit].flatMap { claimants[Int($0)] } }

    /// All that want `claim`.
    private func wanting(_ claim: Claim) -> [Claimant] {
        guard let first = contests[claim]?.first else { return [] }
        return ([first] + (others[claim] ?? [])).compactMap { claimants[Int($0)] }
    }

    /// Who has `claim`.
    private func holding(_ claim: Claim) -> Claimant? {
        guard let holder = contests[claim]?.holder, holder != Contest.nobody else { return nil }
        return claimants[Int(holder)]
    }

    /// Decides about every unit touched since the last call; returns the units whose state is new, oldest first.
    mutating func settle() -> [(unit: UnitID, isAccepted: Bool)] {
        var decisions: [(UnitID, Bool)] = []
        while let candidate = waiting.popMin() {
            // A unit that came back with another age waits in its new place, too.
            let index = candidate.index
            guard let claimant = claimants[Int(index)], claimant.unit == candidate.unit,
                claimant.seniority == candidate.seniority
            else { continue }
            let isAccepted = winners(over: claimant).isEmpty
            guard isAccepted != claimant.isAccepted else { continue }
            claimants[Int(index)]?.isAccepted = isAccepted
            decisions.append((candidate.unit, isAccepted))
            // Only juniors can be affected, so that working in order of age visits each unit with its final seniors.
            if isAccepted { take(index, claimant) } else { letGo(index, claimant) }
        }
        // The first batch may be everything there is; its storage must not stay.
        waiting = Heap()
        return decisions
    }

    /// Why `unit` is not served: each claim that an older accepted unit has.
    func conflicts(of unit: UnitID) -> [Conflict] {
        guard let claimant = claimant(unit), !claimant.isAccepted else { return [] }
        return winners(over: claimant).map { Conflict(claim: $0.claim, loser: unit, winner: $0.unit) }
    }

    /// Whom `unit` keeps from being served: each younger unit that wants one of its claims.
    func victims(of unit: UnitID) -> [Conflict] {
        guard let claimant = claimant(unit), claimant.isAccepted else { return [] }
        return claimant.claims.flatMap { claim in
            wanting(claim).compactMap { rival in
                claimant.seniority < rival.seniority ? Conflict(claim: claim, loser: rival.unit, winner: unit) : nil
            }
        }
    }

    /// The other objects that want one of `claims`.
    func rivals(of service: ObjectKey, _ claims: [Claim]) -> Set<ObjectKey> {
        var rivals: Set<ObjectKey> = []
        for claim in claims {
            // Nearly always nobody, or the object itself.
            guard let first = contests[claim]?.first else { continue }
            if let other = claimants[Int(first)]?.unit.service, other != service { rivals.insert(other) }
            guard hasRivals else { continue }
            for claimant in wanting(claim) where claimant.unit.service != service { rivals.insert(claimant.unit.service) }
        }
        return rivals
    }

    /// Who has what `claim` names.
    func holder(of claim: Claim) -> UnitID? { holding(claim)?.unit }

    /// The older units that have a claim of `claimant`.
    private func winners(over claimant: Claimant) -> [(claim: Claim, unit: UnitID)] {
        claimant.claims.compactMap { claim in
            guard let holder = holding(claim), holder.seniority < claimant.seniority else { return nil }
            return (claim, holder.unit)
        }
    }

    /// The unit has its claims now; a younger one that had one of them is looked at again.
    private mutating func take(_ index: Index, _ claimant: Claimant) {
        for claim in claimant.claims {
            guard let place = contests.index(forKey: claim) else { continue }
            let holder = contests.values[place].holder
            contests.values[place].holder = index
            guard holder != Contest.nobody, holder != index, let former = claimants[Int(holder)] else { continue }
            waiting.insert(Candidate(seniority: former.seniority, unit: former.unit, index: holder))
        }
    }

    private mutating func letGo(_ index: Index, _ claimant: Claimant) {
        for claim in claimant.claims where contests[claim]?.holder == index { contests[claim]?.holder = Contest.nobody }
        requeue(juniorsOf: claimant, wanting: claimant.claims)
    }

    private mutating func requeue(juniorsOf claimant: Claimant, wanting claims: [Claim]) {
        for claim in claims {
            for other in wanting(claim) {
                guard claimant.seniority < other.seniority, let index = indices[other.unit] else { continue }
                waiting.insert(Candidate(seniority: other.seniority, unit: other.unit, index: index))
            }
        }
    }
}
