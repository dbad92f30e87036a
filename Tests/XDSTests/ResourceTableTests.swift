import Testing

@testable import XDS

@Suite struct ResourceTableTests {
    private func table(_ names: String...) -> ResourceTable {
        var table = ResourceTable()
        for name in names { table.set(resource(.listener, name)) }
        _ = table.commit(at: Revision(number: 1))
        return table
    }

    @Test func changesAreClassifiedByWhatTheClientHad() throws {
        var table = table("kept", "edited", "gone")
        table.set(resource(.listener, "edited", "2"))
        table.remove("gone")
        table.set(resource(.listener, "new"))
        let changed = table.commit(at: Revision(number: 2))
        #expect(changed)
        let changes = try #require(table.changes(since: Revision(number: 1)))
        #expect(changes.updated.map(\.name) == ["edited"])
        #expect(changes.added.map(\.name) == ["new"])
        #expect(changes.removed == ["gone"])
    }

    @Test func equalBytesAreNoChange() {
        var table = table("a")
        let version = table.version
        table.remove("a")
        table.set(resource(.listener, "a"))
        let changed = table.commit(at: Revision(number: 2))
        #expect(!changed)
        #expect(table.version == version)
    }

    @Test func aNameRemovedAndAddedAgainWasThereBefore() throws {
        var table = table("a")
        table.remove("a")
        _ = table.commit(at: Revision(number: 2))
        table.set(resource(.listener, "a", "2"))
        _ = table.commit(at: Revision(number: 3))
        #expect(try #require(table.changes(since: Revision(number: 1))).updated.map(\.name) == ["a"])
        #expect(try #require(table.changes(since: Revision(number: 2))).added.map(\.name) == ["a"])
    }

    @Test func aNameThatCameAndWentIsPassing() throws {
        var table = table()
        table.set(resource(.listener, "a"))
        _ = table.commit(at: Revision(number: 2))
        table.remove("a")
        _ = table.commit(at: Revision(number: 3))
        let changes = try #require(table.changes(since: Revision(number: 1)))
        #expect(changes.passing == ["a"] && changes.removed.isEmpty)
    }

    @Test func theVersionDependsOnTheResourcesAlone() {
        var forwards = ResourceTable()
        var backwards = ResourceTable()
        for name in ["a", "b", "c"] { forwards.set(resource(.listener, name)) }
        for name in ["c", "x", "b", "a"] { backwards.set(resource(.listener, name)) }
        _ = forwards.commit(at: Revision(number: 1))
        _ = backwards.commit(at: Revision(number: 1))
        #expect(forwards.version != backwards.version)
        backwards.remove("x")
        _ = backwards.commit(at: Revision(number: 2))
        #expect(forwards.version == backwards.version)
    }

    @Test func theLogForgetsWhatIsBeyondItsBound() throws {
        var table = ResourceTable(logFloor: 4)
        for number in 1...10 {
            table.set(resource(.listener, "a", "\(number)"))
            _ = table.commit(at: Revision(number: UInt64(number)))
        }
        #expect(table.changes(since: Revision(number: 5)) == nil)
        #expect(try #require(table.changes(since: Revision(number: 6))).updated.map(\.name) == ["a"])
    }

    @Test func theWayBetweenTwoTablesIsTheirDifferenceAndTheLogOfTheFirst() throws {
        var origin = table("same", "edited", "dropped", "late")
        var target = origin
        target.set(resource(.listener, "edited", "2"))
        target.set(resource(.listener, "fresh"))
        target.remove("dropped")
        _ = target.commit(at: Revision(number: 2))
        // After the fork the origin goes on: the stream has seen none of it.
        origin.set(resource(.listener, "late", "2"))
        _ = origin.commit(at: Revision(number: 2))
        let changes = try #require(target.changes(from: origin, since: Revision(number: 1)))
        #expect(changes.updated.map(\.name) == ["edited", "late"])
        #expect(changes.added.map(\.name) == ["fresh"])
        #expect(changes.removed == ["dropped"])
    }
}
