import Domain
import Testing

@testable import XDS

@Suite struct ClaimTableTests {
    private struct Entry: Hashable {
        let unit: UnitID
        let created: Int64
        let claims: [Claim]
    }

    private func entry(_ service: String, created: Int64, _ claims: [Claim]) -> Entry {
        Entry(unit: UnitID(service: key(service), listener: "l"), created: created, claims: claims)
    }

    private func seniority(_ entry: Entry) -> ClaimTable.Seniority {
        ClaimTable.Seniority(creationSeconds: entry.created, service: entry.unit.service, place: 0)
    }

    /// The definition, by brute force.
    private func accepted(_ entries: Set<Entry>) -> Set<UnitID> {
        var taken: Set<Claim> = []
        var units: Set<UnitID> = []
        for entry in entries.sorted(by: { seniority($0) < seniority($1) }) where taken.isDisjoint(with: entry.claims) {
            taken.formUnion(entry.claims)
            units.insert(entry.unit)
        }
        return units
    }

    @Test func theOlderObjectWinsWhicheverCameFirst() throws {
        let old = entry("b", created: 1, [.listenerName("x")])
        let young = entry("a", created: 2, [.listenerName("x")])
        for order in [[old, young], [young, old]] {
            var table = ClaimTable()
            for entry in order {
                table.insert(entry.unit, seniority(entry), claims: entry.claims)
                _ = table.settle()
            }
            #expect(table.isAccepted(old.unit))
            #expect(!table.isAccepted(young.unit))
            #expect(table.conflicts(of: young.unit) == [Conflict(claim: .listenerName("x"), loser: young.unit, winner: old.unit)])
        }
    }

    @Test func aLoserBlocksNobody() throws {
        let port = try #require(PortNumber(1000))
        let first = entry("a", created: 1, [.listenerName("x")])
        let second = entry("b", created: 2, [.listenerName("x"), .port(.udp, port)])
        let third = entry("c", created: 3, [.port(.udp, port)])
        var table = ClaimTable()
        for entry in [third, second, first] { table.insert(entry.unit, seniority(entry), claims: entry.claims) }
        _ = table.settle()
        #expect(table.isAccepted(first.unit) && !table.isAccepted(second.unit) && table.isAccepted(third.unit))
        table.remove(first.unit)
        #expect(Set(table.settle().map(\.unit)) == [second.unit, third.unit])
        #expect(table.isAccepted(second.unit) && !table.isAccepted(third.unit))
    }

    @Test(arguments: 0..<200)
    func theOutcomeIsThatOfTheDefinition(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var table = ClaimTable()
        var entries: Set<Entry> = []
        for _ in 0..<60 {
            if let victim = entries.randomElement(using: &random), Bool.random(using: &random) {
                entries.remove(victim)
                table.remove(victim.unit)
                guard Bool.random(using: &random) else { continue }
                // The same unit comes back at once with another age.
                let aged = Entry(unit: victim.unit, created: .random(in: 0..<4, using: &random), claims: victim.claims)
                entries.insert(aged)
                table.insert(aged.unit, seniority(aged), claims: aged.claims)
            } else {
                let claims = (0..<2).map { _ in Claim.clusterName("\(Int.random(in: 0..<6, using: &random))") }
                let new = entry(
                    "s\(Int.random(in: 0..<1000, using: &random))", created: .random(in: 0..<4, using: &random),
                    Array(Set(claims)))
                guard !entries.contains(where: { $0.unit == new.unit }) else { continue }
                entries.insert(new)
                table.insert(new.unit, seniority(new), claims: new.claims)
            }
            if Bool.random(using: &random) {
                let decided = table.settle().map(\.unit)
                #expect(Set(decided).count == decided.count, "a unit is decided about once")
            }
        }
        _ = table.settle()
        let expected = accepted(entries)
        for entry in entries { #expect(table.isAccepted(entry.unit) == expected.contains(entry.unit)) }
    }
}
