import Domain
import Kubernetes
import Testing

@testable import ControlPlane

private let call = ObjectKey(namespace: "calls", name: "call")

private func calls(_ count: Int) -> [ObjectKey] { (0..<count).map { ObjectKey(namespace: "calls", name: "call-\($0)") } }

@Suite struct StatusBoardTests {
    @Test func oneObjectCostsTwoWritesAndThenNone() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster, programmed: 0))
        scene.pass(.milliseconds(100))
        #expect(scene.cluster.statusWrites == 0, "what passes is not written")
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        scene.pass(.seconds(300))
        #expect(scene.cluster.status(call).replicas.map(\.name) == ["a"])
        #expect(scene.cluster.writes == ["summary": 1, "entry": 1])
    }

    @Test func ourOwnWritesComingBackCauseNone() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(5))
        let writes = scene.cluster.statusWrites
        // The object's version has changed: it is reported again, and seen again.
        for _ in 0..<50 {
            scene.report("a", .of(call, in: scene.cluster))
            scene.cluster.news.append(call)
            scene.pass(.seconds(1))
        }
        #expect(scene.cluster.statusWrites == writes)
    }

    @Test func looksAreSharedOutOverTurns() {
        var (cluster, board) = (FakeCluster(), StatusBoard(replica: "a", settings: StatusSettings()))
        for key in calls(1200) {
            cluster.create(key)
            board.observe(cluster.observed(key), now: .zero)
        }
        let context = StatusContext(
            now: .zero, seconds: 0, isLeader: true, canWriteStatus: true, roster: ReplicaRoster(own: "a"))
        var turns = 0
        while board.backlog > 0 {
            let job = board.next(context)
            #expect(job == nil)
            turns += 1
            if board.backlog > 0 {
                let wake = board.nextWake(now: .zero)
                #expect(wake == .zero)
            }
        }
        #expect(turns == 3)
    }

    @Test func anObjectThatBecomesUrgentGoesBeforeThoseThatWaited() {
        var scene = Scene()
        let keys = calls(900)
        for key in keys {
            scene.cluster.create(key, finalizers: [StatusRequests.finalizer])
            scene.report("a", .of(key, in: scene.cluster))
        }
        scene.pass(.seconds(20))
        #expect(scene.cluster.writes == ["summary": 900, "entry": 900])
        // All have something to write, at the pace of the rate; then the last ends.
        for key in keys { scene.report("a", .of(key, in: scene.cluster, matched: 2, connected: 2, programmed: 2)) }
        scene.replicas["a"]?.board.enqueueAll()
        scene.pass(.milliseconds(1200))
        #expect(scene.replicas["a"]?.board.backlog ?? 0 > 200)
        for key in keys.suffix(20) {
            scene.report(
                "a", .of(key, in: scene.cluster, generation: 2, connected: 2, programmed: 2, isTerminating: true, withdrawn: true)
            )
        }
        scene.pass(.milliseconds(150))
        #expect(keys.suffix(20).allSatisfy { scene.cluster.services[$0] == nil })
        scene.pass(.seconds(20))
        #expect(keys.prefix(880).allSatisfy { scene.cluster.programmed($0) == "Programmed 2/2@1" })
        #expect(scene.replicas["a"]?.board.backlog == 0)
    }

    @Test func whatLastsIsWrittenAsPending() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster, programmed: 0))
        scene.pass(.milliseconds(1100))
        #expect(scene.cluster.programmed(call) == "Pending 0/1@1")
    }

    @Test func nothingIsWrittenBeforeTheStatusIsSeen() {
        var scene = Scene()
        scene.isWatching = false
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(10))
        #expect(scene.cluster.statusWrites == 0)
        scene.isWatching = true
        scene.pass(.seconds(10))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
    }

    @Test func aWatchThatLagsCausesNoSecondWrite() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.pass(.milliseconds(50))
        scene.isWatching = false
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(9))
        #expect(scene.cluster.writes == ["summary": 1, "entry": 1])
        scene.isWatching = true
        scene.pass(.seconds(60))
        #expect(scene.cluster.writes == ["summary": 1, "entry": 1])
    }

    @Test func statusThatSomebodyTakesAwayIsWrittenAgain() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(5))
        scene.cluster.services[call]?.applied = [:]
        scene.cluster.news.append(call)
        scene.pass(.seconds(20))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        #expect(scene.cluster.status(call).replicas.count == 1)
    }

    @Test func callsThatComeAndGoFiftyASecondAreKeptUpWith() {
        var scene = Scene()
        let keys = calls(1000)
        for second in 0..<20 {
            for key in keys[second * 50..<(second + 1) * 50] {
                scene.cluster.create(key, finalizers: [StatusRequests.finalizer])
                scene.report("a", .of(key, in: scene.cluster))
            }
            let ended = second < 5 ? [] : Array(keys[(second - 5) * 50..<(second - 4) * 50])
            for key in ended {
                scene.report("a", .of(key, in: scene.cluster, generation: 2, isTerminating: true, withdrawn: true))
            }
            scene.pass(.seconds(1))
            #expect(ended.allSatisfy { scene.cluster.services[$0] == nil }, "second \(second)")
            let begun = keys[second * 50..<(second + 1) * 50]
            #expect(begun.allSatisfy { scene.cluster.programmed($0) == "Programmed 1/1@1" }, "second \(second)")
        }
        #expect(scene.replicas["a"]?.board.backlog ?? 0 <= 50)
    }

    @Test func firstVerdictsAndFinalizersGoBeforeOtherWrites() {
        var settings = StatusSettings()
        (settings.rate, settings.burst) = (10, 10)
        var scene = Scene(settings: settings)
        // Each is owed an entry after its verdict.
        let keys = calls(100)
        for key in keys {
            scene.cluster.create(key)
            scene.report("a", .of(key, in: scene.cluster))
        }
        scene.pass(.seconds(12))
        #expect(scene.cluster.writes["summary"] == 100)
        #expect(scene.cluster.writes["entry"] ?? 0 <= 31)
    }

    @Test func aBurstSettlesWithoutAStorm() {
        var settings = StatusSettings()
        (settings.rate, settings.burst) = (50, 100)
        var scene = Scene(settings: settings)
        let keys = calls(1000)
        for key in keys {
            scene.cluster.create(key)
            scene.report("a", .of(key, in: scene.cluster, matched: 3, connected: 3, programmed: 0))
        }
        // Envoys answer one after the other, while the first objects are already being written.
        for programmed in 1...3 {
            scene.pass(.milliseconds(200))
            for key in keys { scene.report("a", .of(key, in: scene.cluster, matched: 3, connected: 3, programmed: programmed)) }
        }
        scene.pass(.seconds(10))
        // 100 at once, then 50 a second.
        #expect(scene.cluster.statusWrites <= 100 + 51 * 11)
        scene.pass(.seconds(35))
        #expect(keys.allSatisfy { scene.cluster.programmed($0) == "Programmed 3/3@1" })
        #expect(scene.cluster.statusWrites == 2000)
        #expect(scene.cluster.conflicts == 0)
    }

    @Test func aBurstOnThreeReplicasTakesAWriteForEachAndOne() {
        var scene = Scene(["a", "b", "c"])
        let keys = calls(200)
        for key in keys {
            scene.cluster.create(key)
            for name in ["a", "b", "c"] { scene.report(name, .of(key, in: scene.cluster, matched: 3)) }
        }
        scene.pass(.seconds(20))
        #expect(keys.allSatisfy { scene.cluster.programmed($0) == "Programmed 3/3@1" })
        #expect(scene.cluster.writes["entry"] == 600)
        #expect((scene.cluster.writes["summary"] ?? 0) <= 400)
    }

    @Test func programmedHoldsOnlyWhenTheEnvoysOfBothReplicasHaveAnswered() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster, matched: 2))
        scene.pass(.seconds(3))
        #expect(scene.cluster.programmed(call) == "Pending 1/1@1")
        scene.report("b", .of(call, in: scene.cluster, matched: 2, programmed: 0))
        scene.pass(.seconds(3))
        #expect(scene.cluster.programmed(call) == "Pending 1/2@1")
        scene.report("b", .of(call, in: scene.cluster, matched: 2))
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@1")
        // The next generation: what was said of the last does not count.
        scene.report("a", .of(call, in: scene.cluster, generation: 2, matched: 2))
        scene.pass(.seconds(2))
        #expect(scene.cluster.programmed(call) == "Pending 1/1@2")
        scene.report("b", .of(call, in: scene.cluster, generation: 2, matched: 2))
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@2")
    }

    @Test func aReplicaWithoutEnvoysSaysSoOnlyWhileItIsAwaited() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster, matched: 2))
        scene.report("b", .of(call, in: scene.cluster, matched: 2, connected: 0, programmed: 0))
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        let writes = scene.cluster.statusWrites
        scene.join("c")
        scene.report("c", .of(call, in: scene.cluster, matched: 2, connected: 0, programmed: 0))
        scene.pass(.seconds(60))
        #expect(scene.cluster.statusWrites == writes, "one that joins has nothing to say")
    }

    @Test func entriesOfADeadReplicaAreCleared() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call)
        for name in ["a", "b"] { scene.report(name, .of(call, in: scene.cluster, matched: 2)) }
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@1")
        scene.kill("b")
        scene.pass(.seconds(20))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@1", "its Envoys are on their way")
        scene.report("a", .of(call, in: scene.cluster, matched: 2, connected: 2, programmed: 2))
        scene.pass(.seconds(70))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@1")
        #expect(scene.cluster.status(call).replicas.map(\.name) == ["a"])
        #expect(scene.cluster.writes["clear"] == 1)
    }

    @Test func anEntryCountsThoughTheLeaseOfItsReplicaHasNotBeenSeen() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster, matched: 2))
        scene.pass(.milliseconds(41_200))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        // It begins between two looks, when the leader has run for long, and its Envoy has yet to answer.
        scene.join("b", isSeen: false)
        scene.report("a", .of(call, in: scene.cluster, generation: 2, matched: 2))
        scene.report("b", .of(call, in: scene.cluster, generation: 2, matched: 2, programmed: 0))
        scene.pass(.seconds(3))
        #expect(scene.cluster.status(call).replicas.map(\.name) == ["a", "b"])
        #expect(scene.cluster.programmed(call) == "Pending 1/2@2")
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Pending 1/2@2")
        #expect(scene.cluster.writes["clear"] == nil)
    }

    @Test func aNewLeaderGoesOnWithoutWritingWhatIsThere() {
        var scene = Scene(["a", "b"])
        let keys = calls(50)
        for key in keys {
            scene.cluster.create(key)
            for name in ["a", "b"] { scene.report(name, .of(key, in: scene.cluster, matched: 2)) }
        }
        scene.pass(.seconds(10))
        let before = scene.cluster.writes["summary"]
        scene.kill("a")
        scene.lead("b")
        // The Envoys of the dead appear at the other.
        for key in keys { scene.report("b", .of(key, in: scene.cluster, matched: 2, connected: 2, programmed: 2)) }
        scene.pass(.seconds(20))
        #expect(keys.allSatisfy { scene.cluster.programmed($0).hasPrefix("Programmed") })
        scene.pass(.seconds(100))
        #expect(keys.allSatisfy { scene.cluster.programmed($0) == "Programmed 2/2@1" })
        #expect(keys.allSatisfy { scene.cluster.status($0).replicas.map(\.name) == ["b"] })
        #expect((scene.cluster.writes["summary"] ?? 0) - (before ?? 0) <= 100)
    }

    @Test func aRestartWhoseEnvoysComeBackWritesNoConditions() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(5))
        let before = scene.cluster.writes["summary"]
        scene.kill("a")
        scene.join("z", isLeader: true)
        scene.report("z", .of(call, in: scene.cluster, connected: 0, programmed: 0))
        scene.pass(.seconds(8))
        scene.report("z", .of(call, in: scene.cluster))
        scene.pass(.seconds(120))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        #expect((scene.cluster.writes["summary"] ?? 0) - (before ?? 0) <= 2)
        #expect(scene.cluster.status(call).replicas.map(\.name) == ["z"])
    }

    @Test func envoysThatStayAwayAreSaidToBeGone() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(5))
        scene.report("a", .of(call, in: scene.cluster, connected: 0, programmed: 0))
        scene.pass(.seconds(20))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
        scene.pass(.seconds(15))
        #expect(scene.cluster.programmed(call) == "NoEnvoys 0/0@1")
    }

    @Test func theFinalizerGoesOnceWithdrawn() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call, finalizers: ["other", StatusRequests.finalizer])
        for name in ["a", "b"] { scene.report(name, .of(call, in: scene.cluster, matched: 2)) }
        scene.pass(.seconds(5))
        for name in ["a", "b"] {
            scene.report(name, .of(call, in: scene.cluster, generation: 2, matched: 2, isTerminating: true))
        }
        scene.pass(.seconds(1))
        scene.report("a", .of(call, in: scene.cluster, generation: 2, matched: 2, isTerminating: true, withdrawn: true))
        scene.pass(.seconds(1))
        #expect(scene.cluster.writes["finalizer"] == nil, "the other replica's Envoys still have it")
        scene.report("b", .of(call, in: scene.cluster, generation: 2, matched: 2, isTerminating: true, withdrawn: true))
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.services[call]?.finalizers == ["other"])
        let writes = scene.cluster.statusWrites
        for name in ["a", "b"] {
            scene.report(name, .of(call, in: scene.cluster, generation: 2, matched: 2, isTerminating: true, withdrawn: true))
        }
        scene.pass(.seconds(60))
        #expect(scene.cluster.statusWrites == writes)
    }

    @Test(arguments: [true, false])
    func theFinalizerWaitsForAReplicaThatHasNotSpoken(hasEnvoys: Bool) {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call, finalizers: [StatusRequests.finalizer])
        let count = hasEnvoys ? 1 : 0
        // The Envoy is on the other replica, if there is one; the call ends before the entry is written.
        scene.report("a", .of(call, in: scene.cluster, connected: 0, programmed: 0))
        scene.report("b", .of(call, in: scene.cluster, connected: count, programmed: 0))
        scene.pass(.milliseconds(500))
        #expect(scene.cluster.statusWrites == 0)
        func end(_ name: String, withdrawn: Bool) {
            scene.report(
                name,
                .of(
                    call, in: scene.cluster, generation: 2, connected: name == "b" ? count : 0, programmed: 0,
                    isTerminating: true, withdrawn: withdrawn))
        }
        end("a", withdrawn: true)
        if hasEnvoys { end("b", withdrawn: false) }
        scene.pass(.seconds(4))
        #expect(scene.cluster.services[call] != nil, "nobody knows of the other's Envoys")
        end("b", withdrawn: true)
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.services[call] == nil)
        // One that has seen no deletion yet says once that it has none.
        #expect(scene.cluster.writes == ["entry": hasEnvoys ? 1 : 2, "finalizer": 1])
    }

    @Test func theFinalizerWaitsForTheOthersIfTheSpecBecameInvalidOrStatusCantBeWritten() {
        for isInvalid in [true, false] {
            var scene = Scene(["a", "b"])
            scene.cluster.create(call, finalizers: [StatusRequests.finalizer])
            let invalid = Diagnostic(.error, field: "spec.listeners", message: "must not be empty")
            if !isInvalid {
                scene.cluster.fault = APIResponse(
                    status: 500, body: Array(#"{"kind":"Status","message":".status.envoys: field not declared in schema"}"#.utf8))
            }
            for name in ["a", "b"] {
                scene.report(name, .of(call, in: scene.cluster, connected: 0, invalid: isInvalid ? [invalid] : []))
            }
            scene.pass(.seconds(3))
            #expect(scene.cluster.programmed(call) == (isInvalid ? "Invalid 0/0@1" : "none"))
            scene.report("a", .of(call, in: scene.cluster, generation: 2, connected: 0, isTerminating: true, withdrawn: true))
            scene.pass(.milliseconds(9900))
            #expect(scene.cluster.services[call] != nil)
            scene.pass(.milliseconds(200))
            #expect(scene.cluster.services[call] == nil, "for a bounded time")
        }
    }

    @Test func theFinalizerGoesAfterABoundedTime() {
        var scene = Scene()
        scene.cluster.create(call, finalizers: [StatusRequests.finalizer])
        scene.report("a", .of(call, in: scene.cluster, isTerminating: true))
        scene.pass(.milliseconds(9900))
        #expect(scene.cluster.services[call] != nil)
        scene.pass(.milliseconds(200))
        #expect(scene.cluster.services[call] == nil)
    }

    @Test func finalizersOfOthersAreNotOurs() {
        var scene = Scene()
        scene.cluster.create(call, finalizers: ["other"])
        scene.report("a", .of(call, in: scene.cluster, isTerminating: true, withdrawn: true))
        scene.pass(.seconds(60))
        #expect(scene.cluster.statusWrites == 0)
    }

    @Test func anObjectThatTookTheNameIsNotTouchedByOldReports() {
        var scene = Scene()
        scene.cluster.create(call, uid: "old", finalizers: [StatusRequests.finalizer])
        scene.report("a", .of(call, in: scene.cluster, generation: 7, isTerminating: true))
        scene.pass(.seconds(1))
        scene.cluster.create(call, uid: "new", finalizers: [StatusRequests.finalizer])
        scene.pass(.seconds(60))
        #expect(scene.cluster.statusWrites == 0)
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(1))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
    }

    @Test func aSchemaWithoutOurFieldsEndsStatusButNotFinalizersAndEvents() {
        var scene = Scene()
        scene.cluster.create(call, finalizers: [StatusRequests.finalizer])
        scene.cluster.fault = APIResponse(
            status: 500, body: Array(#"{"kind":"Status","message":".status.envoys: field not declared in schema"}"#.utf8))
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(5))
        scene.cluster.fault = nil
        scene.report("a", .of(call, in: scene.cluster, programmed: 0, rejection: "no"))
        scene.pass(.seconds(60))
        #expect(scene.cluster.statusWrites == 0)
        #expect(scene.replicas["a"]?.events.map(\.note) == ["no"])
        scene.report("a", .of(call, in: scene.cluster, isTerminating: true, withdrawn: true))
        scene.pass(.milliseconds(50))
        #expect(scene.cluster.services[call] == nil)
    }

    @Test func aSchemaWithoutOurFieldsIsTriedAgainAfterTenMinutesOrARelist() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.cluster.fault = APIResponse(
            status: 500, body: Array(#"{"kind":"Status","message":".status.envoys: field not declared in schema"}"#.utf8))
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.seconds(1))
        scene.cluster.fault = nil
        scene.pass(.seconds(590))
        #expect(scene.cluster.statusWrites == 0)
        scene.pass(.seconds(12))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")

        let next = ObjectKey(namespace: "default", name: "next")
        scene.cluster.create(next)
        scene.cluster.fault = APIResponse(
            status: 500, body: Array(#"{"kind":"Status","message":".status.envoys: field not declared in schema"}"#.utf8))
        scene.report("a", .of(next, in: scene.cluster))
        scene.pass(.seconds(1))
        scene.cluster.fault = nil
        scene.replicas["a"]?.board.observe(.restarted, now: .zero)
        for key in [call, next] { scene.replicas["a"]?.board.observe(scene.cluster.observed(key), now: scene.now) }
        scene.replicas["a"]?.board.observe(.synced, now: .zero)
        scene.pass(.seconds(1))
        #expect(scene.cluster.programmed(next) == "Programmed 1/1@1")
    }

    @Test func anObjectWithAWithheldListenerIsNotProgrammedUntilEveryReplicaHasTheWhole() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call)
        for name in ["a", "b"] {
            scene.report(name, .of(call, in: scene.cluster, matched: 2, conflicts: ["c"], withheld: ["c"]))
        }
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Conflicted 0/2@1")
        // The rival is gone; the Envoy of this replica has the listener already, that of the other not yet.
        scene.report("a", .of(call, in: scene.cluster, matched: 2))
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Pending 1/2@1")
        scene.report("b", .of(call, in: scene.cluster, matched: 2))
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Programmed 2/2@1")
    }

    @Test func aServerThatCantIsAskedAgainLater() {
        var scene = Scene()
        scene.cluster.create(call)
        scene.cluster.fault = APIResponse(status: 429, headers: [("Retry-After", "7")])
        scene.report("a", .of(call, in: scene.cluster))
        scene.pass(.milliseconds(50))
        scene.cluster.fault = nil
        scene.pass(.milliseconds(6900))
        #expect(scene.cluster.statusWrites == 0)
        scene.pass(.milliseconds(200))
        #expect(scene.cluster.programmed(call) == "Programmed 1/1@1")
    }

    @Test func whatIsForbiddenKeepsNobodyElseWaiting() {
        var scene = Scene()
        let elsewhere = calls(50).map { ObjectKey(namespace: "elsewhere", name: $0.name) }
        let keys = [call] + calls(50) + elsewhere
        // A policy forbids one object, a role is missing in another namespace.
        scene.cluster.forbidden = [call.name, "elsewhere"]
        for key in keys { scene.cluster.create(key) }
        for key in keys { scene.report("a", .of(key, in: scene.cluster)) }
        scene.pass(.seconds(2))
        #expect(calls(50).allSatisfy { scene.cluster.programmed($0) == "Programmed 1/1@1" })
        scene.pass(.seconds(60))
        #expect(scene.cluster.writes["forbidden"] ?? 0 < 300)
        scene.cluster.forbidden = []
        scene.pass(.seconds(300))
        #expect(keys.allSatisfy { scene.cluster.programmed($0) == "Programmed 1/1@1" })
    }

    @Test(arguments: [401, 429, 500, 503]) func whatConcernsAllPausesAll(status: Int) {
        var scene = Scene()
        scene.cluster.fault = APIResponse(status: status, headers: [("Retry-After", "7")])
        for key in calls(50) {
            scene.cluster.create(key)
            scene.report("a", .of(key, in: scene.cluster))
        }
        scene.pass(.milliseconds(50))
        scene.cluster.fault = nil
        scene.pass(.milliseconds(200))
        #expect(scene.cluster.statusWrites == 0)
        scene.pass(.seconds(20))
        #expect(calls(50).allSatisfy { scene.cluster.programmed($0) == "Programmed 1/1@1" })
    }

    @Test func eventsTellWhatWentBadOnce() {
        var scene = Scene(["a", "b"])
        scene.cluster.create(call)
        let invalid = Diagnostic(.error, field: "spec.listeners", message: "must not be empty")
        for name in ["a", "b"] { scene.report(name, .of(call, in: scene.cluster, connected: 0, invalid: [invalid])) }
        scene.pass(.seconds(5))
        #expect(scene.cluster.programmed(call) == "Invalid 0/0@1")
        for name in ["a", "b"] {
            scene.report(
                name, .of(call, in: scene.cluster, generation: 2, programmed: 0, rejection: "cannot bind", conflicts: ["c"]))
        }
        scene.pass(.seconds(20))
        #expect(scene.replicas["a"]?.events.map(\.reason) == [.invalid, .conflict, .rejected])
        #expect(scene.replicas["a"]?.events.last?.note == "cannot bind")
        #expect(scene.replicas["b"]?.events.isEmpty == true)
        scene.lead("b")
        scene.pass(.seconds(60))
        #expect(scene.replicas["b"]?.events.isEmpty == true, "the object already says so")
    }

    @Test func anAnswerThatComesAfterNewerNewsIsNotBelieved() throws {
        var cluster = FakeCluster()
        cluster.create(call)
        var board = StatusBoard(replica: "a", settings: StatusSettings())
        board.observe(cluster.observed(call), now: .zero)
        board.update(.of(call, in: cluster), now: .zero)
        var roster = ReplicaRoster(own: "a")
        roster.observe([], now: .zero)
        func context(_ now: Duration) -> StatusContext {
            StatusContext(now: now, seconds: 0, isLeader: true, canWriteStatus: true, roster: roster)
        }
        let first = board.next(context(.zero))
        let job = try #require(first)
        let answer = cluster.send(job.request)
        // Somebody else writes, and the watch shows it before the answer is read.
        cluster.create(call, uid: cluster.services[call]?.uid ?? "")
        board.observe(cluster.observed(call), now: .zero)
        board.finish(job, WriteOutcome(answer), now: .zero, random: 0)
        board.update(.of(call, in: cluster, generation: 2), now: .zero)
        let second = board.next(context(.zero))
        #expect(cluster.send(try #require(second).request).status == 200)
    }

    @Test func objectsOfARelistThatAreGoneAreForgotten() {
        var board = StatusBoard(replica: "a", settings: StatusSettings())
        var cluster = FakeCluster()
        cluster.create(call)
        board.observe(cluster.observed(call), now: .zero)
        board.update(.of(call, in: cluster), now: .zero)
        board.observe(.restarted, now: .zero)
        board.observe(.synced, now: .zero)
        var roster = ReplicaRoster(own: "a")
        roster.observe([], now: .zero)
        let context = StatusContext(now: .zero, seconds: 0, isLeader: true, canWriteStatus: true, roster: roster)
        let none = board.next(context)
        #expect(none == nil)
    }
}

extension StatusBoard.Job: Equatable {
    static func == (left: StatusBoard.Job, right: StatusBoard.Job) -> Bool { left.key == right.key && left.write == right.write }
}
