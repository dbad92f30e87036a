import Domain
import Kubernetes
import Testing

/// One lease, written optimistically.
private struct Server {
    var lease: ObservedLease?
    var version = 0
    var isReachable = true

    mutating func perform(_ attempt: LeaseStateMachine.Attempt) -> LeaseStateMachine.Result {
        guard isReachable else { return .failure }
        switch attempt {
        case .get: return lease.map { .lease($0) } ?? .missing
        case .create(let record): return lease == nil ? write(record) : .conflict
        case .update(let record, let old):
            guard let lease else { return .missing }
            return lease.resourceVersion == old.resourceVersion ? write(record) : .conflict
        }
    }

    private mutating func write(_ record: LeaseRecord) -> LeaseStateMachine.Result {
        version += 1
        let lease = ObservedLease(name: "l", resourceVersion: "\(version)", record: record, renewal: "\(record.renewed)")
        self.lease = lease
        return .lease(lease)
    }
}

private struct Candidate {
    var machine: LeaseStateMachine
    var nextAt: Duration = .zero
    /// How far this machine's wall clock is off.
    var skew: Int64 = 0

    init(_ name: String, skew: Int64 = 0) {
        machine = LeaseStateMachine(identity: name)
        self.skew = skew
    }

    mutating func step(_ server: inout Server, _ now: Duration) {
        while nextAt <= now {
            let attempt = machine.attempt(now: now, microseconds: 1_000_000 * (now.components.seconds + skew))
            nextAt = now + machine.receive(server.perform(attempt), of: attempt, now: now, random: 0.5)
        }
    }

    func leads(_ now: Duration) -> Bool { machine.leadership(now: now) != nil }
}

@Suite struct LeaseStateMachineTests {
    @Test func theFirstCreatesTheLeaseAndTheSecondWaits() {
        var server = Server()
        var (a, b) = (Candidate("a"), Candidate("b", skew: -100_000))
        for second in 0..<120 {
            let now = Duration.seconds(second)
            a.step(&server, now)
            b.step(&server, now)
            #expect(a.leads(now))
            #expect(!b.leads(now))
        }
        #expect(server.lease?.record.holder == "a")
        #expect(server.lease?.record.transitions == 0)
        #expect(server.lease?.record.durationSeconds == 15)
    }

    /// Clocks of different machines may differ by anything.
    @Test(arguments: [-1_000_000, 0, 1_000_000] as [Int64])
    func aKilledLeaderIsReplacedWithinTheLeaseTime(skew: Int64) {
        var server = Server()
        var (a, b) = (Candidate("a"), Candidate("b", skew: skew))
        var takenOver: Duration?
        for tick in 0..<400 {
            let now = Duration.milliseconds(tick * 100)
            if now < .seconds(10) { a.step(&server, now) }
            b.step(&server, now)
            // Never two at once, though the first does nothing to stop.
            #expect(!(a.leads(now) && b.leads(now)))
            if b.leads(now), takenOver == nil { takenOver = now }
        }
        #expect(
            takenOver.map { $0 > .seconds(23) && $0 <= .seconds(28) } == true, "taken over at \(String(describing: takenOver))")
        #expect(server.lease?.record.holder == "b")
        #expect(server.lease?.record.transitions == 1)
    }

    @Test func aReleasedLeaseIsTakenAtTheNextLook() {
        var server = Server()
        var (a, b) = (Candidate("a"), Candidate("b"))
        a.step(&server, .zero)
        b.step(&server, .zero)
        // A renewal is done, but its answer is lost: the release looks first.
        let lost = a.machine.attempt(now: .seconds(1), microseconds: 4)
        _ = server.perform(lost)
        _ = a.machine.receive(.failure, of: lost, now: .seconds(1), random: 0)
        var sent: [LeaseStateMachine.Attempt] = []
        while let release = a.machine.release(now: .seconds(1), microseconds: 5) {
            sent.append(release)
            _ = a.machine.receive(server.perform(release), of: release, now: .seconds(1), random: 0)
        }
        #expect(sent.count == 2)
        #expect(sent.first == .get)
        #expect(server.lease?.record.holder == "")
        #expect(!a.leads(.seconds(1)))
        b.step(&server, .seconds(3))
        #expect(b.leads(.seconds(3)))
        #expect(server.lease?.record.transitions == 1)
    }

    @Test func aLeaderThatCantRenewStopsBeforeOthersTakeOver() {
        var server = Server()
        var a = Candidate("a")
        a.step(&server, .zero)
        server.isReachable = false
        for second in 1..<10 {
            a.step(&server, .seconds(second))
            #expect(a.leads(.seconds(second)))
        }
        a.step(&server, .seconds(10))
        #expect(!a.leads(.seconds(10)))
        let release = a.machine.release(now: .seconds(10), microseconds: 0)
        #expect(release == nil)
        server.isReachable = true
        a.step(&server, .seconds(13))
        #expect(a.leads(.seconds(13)))
    }

    @Test func aLeaseReadInOurNameIsRenewedBeforeItCounts() {
        var server = Server()
        var old = Candidate("a")
        old.step(&server, .zero)
        var machine = LeaseStateMachine(identity: "a")
        let look = machine.attempt(now: .zero, microseconds: 0)
        #expect(look == .get)
        let delay = machine.receive(server.perform(look), of: look, now: .zero, random: 0)
        #expect(delay == .zero)
        #expect(machine.leadership(now: .zero) == nil)
        let renewal = machine.attempt(now: .zero, microseconds: 0)
        _ = machine.receive(server.perform(renewal), of: renewal, now: .zero, random: 0)
        #expect(machine.leadership(now: .zero) == .seconds(10))
    }

    @Test func aWriteThatLosesTheRaceReadsAgain() {
        var server = Server()
        var (a, b) = (LeaseStateMachine(identity: "a"), LeaseStateMachine(identity: "b"))
        let (lookA, lookB) = (a.attempt(now: .zero, microseconds: 0), b.attempt(now: .zero, microseconds: 0))
        _ = a.receive(server.perform(lookA), of: lookA, now: .zero, random: 0)
        _ = b.receive(server.perform(lookB), of: lookB, now: .zero, random: 0)
        let (first, second) = (a.attempt(now: .zero, microseconds: 0), b.attempt(now: .zero, microseconds: 0))
        _ = a.receive(server.perform(first), of: first, now: .zero, random: 0)
        let delay = b.receive(server.perform(second), of: second, now: .zero, random: 0)
        #expect(delay == .zero)
        let next = b.attempt(now: .zero, microseconds: 0)
        #expect(next == .get)
        #expect(a.leadership(now: .zero) != nil)
    }

    @Test func leasesAreReadAndWrittenWhole() throws {
        let key = LeaseRequests.replicaLeaseName("op-0")
        #expect(key == "xds-operator-replica-op-0")
        let body = #"""
            {"kind":"Lease","metadata":{"name":"l","resourceVersion":"4","labels":{"x":"y"}},"spec":{"holderIdentity":"a",
            "leaseDurationSeconds":15,"acquireTime":"2024-05-01T12:00:00.000001Z","renewTime":"2024-05-01T12:00:00.500000Z","leaseTransitions":2}}
            """#
        let lease = try #require(LeaseRequests.lease(Array(body.utf8)))
        #expect(lease.record.renewed == 1_714_564_800_500_000)
        #expect(lease.record.acquired == 1_714_564_800_000_001)
        #expect(LeaseRequests.lease(Array(#"{"metadata":{"name":"l","resourceVersion":"1"}}"#.utf8))?.record.holder == "")
        let request = LeaseRequests.update(
            .init(namespace: "n", name: "l"), record: lease.record, resourceVersion: "4", labels: lease.labels, annotations: [:])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","namespace":"n","resourceVersion":"4","labels":{"x":"y"}},"spec":{"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":"2024-05-01T12:00:00.000001Z","renewTime":"2024-05-01T12:00:00.500000Z","leaseTransitions":2}}"#
        )
    }
}
