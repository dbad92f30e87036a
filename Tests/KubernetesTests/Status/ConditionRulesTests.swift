import Domain
import Kubernetes
import Testing

private func entry(_ name: String, _ programmed: Int, _ matched: Int, generation: Int64 = 3, message: String = "") -> ReplicaEntry
{
    ReplicaEntry(
        name: name, observedGeneration: generation, matchedEnvoys: matched, programmedEnvoys: programmed, message: message)
}

private func facts(
    pods: Int = 2, conflicts: [String] = [], unresolved: [String] = [], invalid: [Diagnostic] = []
) -> ServiceFacts {
    ServiceFacts(
        generation: 3, listeners: 4, matchedPods: pods, conflicts: conflicts, unresolvedSelectors: unresolved, invalid: invalid)
}

private func summary(
    _ facts: ServiceFacts, _ entries: [ReplicaEntry], replicas: [String] = ["a"], previous: StatusSummary? = nil,
    seconds: Int64 = 100
) -> StatusSummary {
    StatusSummary(
        facts: facts, tally: EnvoyTally(generation: 3, entries: entries, replicas: replicas), previous: previous,
        seconds: seconds)
}

@Suite struct ConditionRulesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var pods = 2
        let entries: [ReplicaEntry]
        var replicas = ["a", "b"]
        let expected: String
    }

    @Test(arguments: [
        Case(testDescription: "all acknowledged", entries: [entry("a", 2, 2)], expected: "True Programmed 2/2"),
        Case(testDescription: "on two replicas", entries: [entry("a", 1, 1), entry("b", 1, 1)], expected: "True Programmed 2/2"),
        Case(testDescription: "one has yet to answer", entries: [entry("a", 1, 2)], expected: "False Pending 1/2"),
        Case(
            testDescription: "the other replica speaks of an older generation",
            entries: [entry("a", 1, 1), entry("b", 1, 1, generation: 2)], expected: "False Pending 1/1"),
        Case(
            testDescription: "an older entry without Envoys holds nobody up", pods: 1,
            entries: [entry("a", 1, 1), entry("b", 0, 0, generation: 2)], expected: "True Programmed 1/1"),
        Case(
            testDescription: "a pod's Envoy may be at the replica that is silent", entries: [entry("a", 1, 1)],
            expected: "False Pending 1/1"),
        Case(
            testDescription: "the other has said that it has none", entries: [entry("a", 1, 1), entry("b", 0, 0)],
            expected: "True Programmed 1/1"),
        Case(
            testDescription: "alone, with a pod without Envoy", entries: [entry("a", 1, 1)], replicas: ["a"],
            expected: "True Programmed 1/1"),
        Case(testDescription: "no Envoy", entries: [entry("a", 0, 0)], replicas: ["a"], expected: "False NoEnvoys 0/0"),
        Case(testDescription: "no pod", pods: 0, entries: [], expected: "False NoEnvoys 0/0"),
        Case(
            testDescription: "rejected at another replica", entries: [entry("a", 1, 1), entry("b", 0, 1, message: "no port")],
            expected: "False Rejected 1/2"),
        Case(
            testDescription: "more programmed than matched counts as matched", entries: [entry("a", 9, 2)],
            expected: "True Programmed 2/2"),
    ])
    func programmed(_ test: Case) throws {
        let result = summary(facts(pods: test.pods), test.entries, replicas: test.replicas)
        let condition = try #require(result[.programmed])
        #expect(
            "\(condition.status.rawValue) \(condition.reason) \(result.programmedEnvoys)/\(result.matchedEnvoys)" == test.expected
        )
        #expect(condition.observedGeneration == 3)
    }

    @Test(arguments: [(2, 2, "2/2"), (1, 2, "2/2"), (1, 1, "1/1"), (0, 2, "1/1")])
    func entriesOfTheGoneCountForEnvoysThatHaveNotComeElsewhere(here: Int, pods: Int, expected: String) {
        let tally = EnvoyTally(
            generation: 3, entries: [entry("a", here, here)], leaving: [entry("b", 1, 1), entry("c", 5, 5, generation: 2)],
            matchedPods: pods, replicas: ["a"])
        #expect("\(tally.programmed)/\(tally.connected)" == expected)
        #expect(tally.behind.isEmpty)
    }

    @Test func wordsOfAnEnvoyAreSaid() throws {
        let result = summary(facts(), [entry("a", 0, 1, message: "cannot bind"), entry("b", 0, 1, message: "cannot bind")])
        #expect(
            result[.programmed]?.message
                == "0 of 2 connected Envoys have acknowledged generation 3; rejected: cannot bind")
    }

    @Test func silentReplicasMatterOnlyUntilTheGenerationIsSettled() {
        let settled = summary(facts(), [entry("a", 1, 1), entry("b", 0, 0)], replicas: ["a", "b"])
        let joined = summary(facts(), [entry("a", 1, 1), entry("b", 0, 0)], replicas: ["a", "b", "c"], previous: settled)
        #expect(joined == settled)
    }

    @Test func anInvalidSpecNamesTheField() {
        let result = summary(
            facts(invalid: [Diagnostic(.error, field: "spec.listeners[0].udp.port", message: "must be a port")]), [])
        #expect(result[.accepted]?.status == .no)
        #expect(result[.accepted]?.reason == "Invalid")
        #expect(result[.accepted]?.message == "spec.listeners[0].udp.port: must be a port")
        #expect(result[.conflicted]?.status == .unknown)
        #expect(result[.resolvedReferences]?.status == .unknown)
        #expect(result[.programmed]?.reason == "Invalid")
    }

    @Test func conflictsAndSelectorsAreListedInOrder() {
        let result = summary(facts(conflicts: ["b", "a"], unresolved: ["y", "x"]), [entry("a", 2, 2)])
        #expect(result[.conflicted]?.status == .yes)
        #expect(result[.conflicted]?.message == "a; b")
        #expect(result[.resolvedReferences]?.status == .no)
        #expect(result[.resolvedReferences]?.message == "no pod matches x; y")
    }

    @Test func aWithheldListenerIsNotProgrammed() {
        var lost = facts(conflicts: ["listener l is withheld"])
        #expect(summary(lost, [entry("a", 2, 2)])[.programmed]?.status == .yes, "the winner has all it asks for")
        lost.withheld = ["listener l is withheld"]
        let result = summary(lost, [entry("a", 0, 2)])
        #expect(result[.programmed]?.status == .no)
        #expect(result[.programmed]?.reason == "Conflicted")
        #expect(result[.programmed]?.message == "listener l is withheld")
        #expect(!result.concludes(generation: 3), "replicas that are silent are awaited once it is over")
        #expect(summary(lost, [])[.programmed]?.reason != "Conflicted", "no Envoy from which to withhold")
    }

    @Test func timeOfTransitionStaysWithTheValue() {
        let first = summary(facts(), [entry("a", 1, 2)], seconds: 100)
        let rejected = summary(facts(), [entry("a", 1, 2, message: "no")], previous: first, seconds: 200)
        #expect(rejected[.programmed]?.reason == "Rejected")
        #expect(rejected[.programmed]?.lastTransitionSeconds == 100)
        let done = summary(facts(), [entry("a", 2, 2)], previous: rejected, seconds: 300)
        #expect(done[.programmed]?.lastTransitionSeconds == 300)
        #expect(done[.accepted]?.lastTransitionSeconds == 100)
        #expect(summary(facts(), [entry("a", 2, 2)], previous: done, seconds: 400) == done)
    }

    @Test func longMessagesAreCut() {
        let result = summary(facts(conflicts: [String(repeating: "ü", count: 10_000)]), [])
        #expect(result[.conflicted]?.message.unicodeScalars.count == 4096)
    }
}
