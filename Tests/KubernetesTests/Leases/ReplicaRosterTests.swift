import Kubernetes
import Testing

private func lease(_ name: String, renewed: Int64, backlog: Int = 0) -> ObservedLease {
    ObservedLease(
        name: name, resourceVersion: "\(renewed)", annotations: [LeaseRequests.backlogAnnotation: "\(backlog)"],
        record: LeaseRecord(holder: name, durationSeconds: 15, acquired: 0, renewed: renewed, transitions: 0))
}

@Suite struct ReplicaRosterTests {
    @Test func aReplicaLivesWhileItsLeaseIsSeenToChange() {
        var roster = ReplicaRoster(own: "a")
        #expect(roster.standing("b", now: .zero) == .live, "nothing is known yet")
        for second in stride(from: 0, to: 60, by: 5) {
            roster.observe([lease("a", renewed: 1), lease("b", renewed: Int64(second))], now: .seconds(second))
        }
        #expect(roster.live(now: .seconds(60)) == ["a", "b"])
        for second in stride(from: 60, to: 120, by: 5) { roster.observe([lease("b", renewed: 55)], now: .seconds(second)) }
        #expect(roster.standing("b", now: .seconds(69)) == .live)
        #expect(roster.standing("b", now: .seconds(70)) == .leaving)
        #expect(roster.standing("b", now: .seconds(99)) == .leaving)
        #expect(roster.standing("b", now: .seconds(100)) == .gone)
        #expect(roster.isAbandoned(lease("b", renewed: 55), now: .seconds(100)))
        #expect(roster.standing("a", now: .seconds(100)) == .live)
        roster.observe([lease("b", renewed: 101)], now: .seconds(120))
        #expect(roster.standing("b", now: .seconds(120)) == .live)
    }

    @Test func timeWithoutALookMakesNobodyGone() {
        // The lease of c is taken away at 40 s; that of d is renewed for the last time then.
        var before = ReplicaRoster(own: "a")
        for second in stride(from: 0, through: 60, by: 5) {
            let taken = second < 40 ? [lease("c", renewed: Int64(second))] : []
            before.observe(
                [lease("b", renewed: Int64(second)), lease("d", renewed: Int64(min(second, 40)))] + taken, now: .seconds(second))
        }
        // Until 110 s no list succeeds, and nobody can renew.
        for second in 60...110 {
            #expect(before.live(now: .seconds(second)) == ["a", "b"])
            for name in ["c", "d"] { #expect(before.standing(name, now: .seconds(second)) == .leaving) }
        }
        // Who does not come back is gone after the usual time, of which what passed before the outage counts.
        let leases = [lease("b", renewed: 60), lease("d", renewed: 40)]
        for (name, end) in ["b": 155, "c": 120, "d": 135] {
            var roster = before
            for second in stride(from: 110, to: end, by: 5) {
                roster.observe(leases, now: .seconds(second))
                let isLive = name == "b" && second < 125
                #expect(roster.standing(name, now: .seconds(second)) == (isLive ? .live : .leaving), "\(name) at \(second)")
            }
            roster.observe(leases, now: .seconds(end))
            #expect(roster.standing(name, now: .seconds(end)) == .gone, "\(name)")
        }
    }

    @Test func aLeaseThatIsTakenAwayEndsAtOnce() {
        var roster = ReplicaRoster(own: "a")
        roster.observe([lease("b", renewed: 1)], now: .zero)
        for second in stride(from: 5, through: 35, by: 5) {
            roster.observe([], now: .seconds(second))
            if second < 35 { #expect(roster.standing("b", now: .seconds(second)) == .leaving) }
        }
        #expect(roster.standing("b", now: .seconds(35)) == .gone)
    }

    @Test func aReplicaWhoseLeaseWasNotSeenIsDatedFromItsEntry() {
        var roster = ReplicaRoster(own: "a")
        for second in stride(from: 0, through: 100, by: 5) { roster.observe([], now: .seconds(second)) }
        roster.hear(["new": .seconds(102), "old": .seconds(71), "older": .seconds(70)])
        #expect(roster.standing("new", now: .seconds(104)) == .live, "not looked for since")
        #expect(roster.standing("old", now: .seconds(104)) == .leaving)
        #expect(roster.standing("older", now: .seconds(104)) == .gone)
        let standings = roster.standings(now: .seconds(104))
        #expect(standings == ["": .gone, "new": .live, "old": .leaving, "older": .gone])
        for (second, standing) in [(105, ReplicaRoster.Standing.leaving), (130, .leaving), (135, .gone)] {
            for look in stride(from: 105, through: second, by: 5) { roster.observe([], now: .seconds(look)) }
            #expect(roster.standing("new", now: .seconds(second)) == standing, "\(second)")
        }
        // An entry that comes after the lease was taken away: it may be back.
        roster.observe([lease("back", renewed: 1)], now: .seconds(140))
        roster.observe([], now: .seconds(145))
        roster.hear(["back": .seconds(146)])
        #expect(roster.standing("back", now: .seconds(147)) == .live)
        // After looks were missed the time begins anew.
        roster.hear(["new": .seconds(150)])
        roster.observe([], now: .seconds(200))
        #expect(roster.standing("new", now: .seconds(200)) == .leaving)
    }

    @Test func entriesOfTheGoneCountWhileOthersCatchUp() {
        var roster = ReplicaRoster(own: "a")
        roster.observe([lease("b", renewed: 1)], now: .zero)
        for second in stride(from: 5, through: 1000, by: 5) {
            let now = Duration.seconds(second)
            roster.observe([lease("c", renewed: Int64(second), backlog: 9000)], now: now)
            #expect(roster.standing("b", now: now) == (second < 605 ? .leaving : .gone))
        }
        roster.observe([lease("c", renewed: 2000, backlog: 0)], now: .seconds(1000))
        #expect(!roster.isCatchingUp(.seconds(1000)))
    }
}
