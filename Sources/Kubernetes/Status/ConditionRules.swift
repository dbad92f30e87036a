public import Domain

/// What is true of a VirtualService whichever replica looks at it.
public struct ServiceFacts: Hashable, Sendable {
    /// The generation of the spec.
    public var generation: Int64
    /// Listeners of the object.
    public var listeners: Int
    /// Pods that its selector matches.
    public var matchedPods: Int
    /// Claims that another object has as well: which, which object, who wins.
    public var conflicts: [String]
    /// Of the conflicts, those that this object loses: its listeners are withheld.
    public var withheld: [String]
    /// Endpoint selectors that match no pod.
    public var unresolvedSelectors: [String]
    /// Why the spec is refused; empty when it is valid.
    public var invalid: [Diagnostic]

    /// Makes facts; by default of a valid object that shares nothing and whose selectors all match.
    public init(
        generation: Int64, listeners: Int, matchedPods: Int, conflicts: [String] = [], withheld: [String] = [],
        unresolvedSelectors: [String] = [], invalid: [Diagnostic] = []
    ) {
        self.generation = generation
        self.listeners = listeners
        self.matchedPods = matchedPods
        self.conflicts = conflicts
        self.withheld = withheld
        self.unresolvedSelectors = unresolvedSelectors
        self.invalid = invalid
    }
}

/// What the replicas say of a VirtualService, added up for one generation.
public struct EnvoyTally: Hashable, Sendable {
    /// Envoys that are connected to any replica and selected.
    public private(set) var connected = 0
    /// Of these, how many have acknowledged the generation.
    public private(set) var programmed = 0
    /// What Envoys say that reject it.
    public private(set) var rejections: [String] = []
    /// Replicas with Envoys that still speak of another generation.
    public private(set) var behind: [String] = []
    /// Live replicas that have said nothing of the generation.
    public private(set) var silent: [String] = []

    /// Adds up entries.
    /// - Parameters:
    ///   - entries: those of live replicas, in any order.
    ///   - leaving: those of replicas that are gone, whose Envoys are on their way to others: they count for Envoys of
    ///     `matchedPods` that have not appeared elsewhere yet.
    ///   - replicas: the live replicas, of which each is expected to say something.
    public init(
        generation: Int64, entries: [ReplicaEntry], leaving: [ReplicaEntry] = [], matchedPods: Int = 0,
        replicas: some Sequence<String>
    ) {
        var silent = Set(replicas)
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            guard entry.observedGeneration == generation else {
                if entry.matchedEnvoys > 0 { behind.append(entry.name) }
                continue
            }
            silent.remove(entry.name)
            connected += entry.matchedEnvoys
            programmed += min(entry.programmedEnvoys, entry.matchedEnvoys)
            if !entry.message.isEmpty {
                rejections.append(entry.message)
            } else if entry.rejectedEnvoys > 0 {
                rejections.append("an Envoy of replica \(entry.name) rejects it")
            }
        }
        self.silent = silent.sorted()
        for entry in leaving where entry.observedGeneration == generation {
            let moved = min(entry.matchedEnvoys, max(0, matchedPods - connected))
            connected += moved
            programmed += min(entry.programmedEnvoys, moved)
        }
    }

    /// What is said against it; equal words of many Envoys once.
    public var rejectionWords: String { Set(rejections).sorted().joined(separator: "; ") }
}

extension StatusSummary {
    /// What the status of a VirtualService has to be.
    /// - Parameters:
    ///   - previous: what it is: a condition whose value stays keeps its time of transition.
    ///   - seconds: now, since 1970.
    public init(facts: ServiceFacts, tally: EnvoyTally, previous: StatusSummary?, seconds: Int64) {
        self.init(
            observedGeneration: facts.generation, listeners: facts.listeners, matchedEnvoys: tally.connected,
            programmedEnvoys: tally.programmed, conditions: [])
        let isSettled = previous?.concludes(generation: facts.generation) ?? false
        let verdicts: [Condition.Kind: Verdict] = [
            .accepted: .accepted(facts), .conflicted: .conflicted(facts), .resolvedReferences: .resolvedReferences(facts),
            .programmed: .programmed(facts, tally, isSettled: isSettled),
        ]
        conditions = Condition.Kind.allCases.compactMap { kind in
            guard let verdict = verdicts[kind] else { return nil }
            let old = previous?[kind]
            return Condition(
                kind: kind, status: verdict.status, observedGeneration: facts.generation,
                lastTransitionSeconds: old?.status == verdict.status ? old?.lastTransitionSeconds ?? seconds : seconds,
                reason: verdict.reason.rawValue, message: verdict.message.prefix(scalars: Verdict.longestMessage))
        }
    }
}

private struct Verdict {
    let status: Condition.Truth
    let reason: Condition.Reason
    let message: String

    /// The most characters of a message: the schema takes 32,768, a reader fewer.
    static let longestMessage = 4096

    static func accepted(_ facts: ServiceFacts) -> Verdict {
        facts.invalid.isEmpty
            ? Verdict(status: .yes, reason: .valid, message: "the spec is valid")
            : Verdict(status: .no, reason: .invalid, message: facts.invalid.map(\.description).joined(separator: "; "))
    }

    static func conflicted(_ facts: ServiceFacts) -> Verdict {
        if !facts.invalid.isEmpty { return refused(.unknown) }
        return facts.conflicts.isEmpty
            ? Verdict(status: .no, reason: .noConflict, message: "no other object claims its names or ports")
            : Verdict(status: .yes, reason: .conflict, message: facts.conflicts.sorted().joined(separator: "; "))
    }

    static func resolvedReferences(_ facts: ServiceFacts) -> Verdict {
        if !facts.invalid.isEmpty { return refused(.unknown) }
        return facts.unresolvedSelectors.isEmpty
            ? Verdict(status: .yes, reason: .resolved, message: "every endpoint selector matches a pod")
            : Verdict(
                status: .no, reason: .noMatchingPods,
                message: "no pod matches " + facts.unresolvedSelectors.sorted().joined(separator: "; "))
    }

    static func programmed(_ facts: ServiceFacts, _ tally: EnvoyTally, isSettled: Bool) -> Verdict {
        if !facts.invalid.isEmpty { return refused(.no) }
        let count = "\(tally.programmed) of \(tally.connected) connected Envoys have acknowledged generation \(facts.generation)"
        if !tally.rejections.isEmpty {
            return Verdict(status: .no, reason: .rejected, message: "\(count); rejected: \(tally.rejectionWords)")
        }
        // Whatever the Envoys have acknowledged, it is not the whole object. With no Envoy there is nothing to withhold it from.
        if !facts.withheld.isEmpty, tally.connected > 0 {
            return Verdict(status: .no, reason: .conflicted, message: facts.withheld.sorted().joined(separator: "; "))
        }
        if tally.programmed < tally.connected { return Verdict(status: .no, reason: .pending, message: count) }
        if !tally.behind.isEmpty {
            return Verdict(
                status: .no, reason: .pending, message: "\(count); to be heard of: \(tally.behind.joined(separator: ", "))")
        }
        // An Envoy is connected to one replica. Pods without a connected Envoy may have one at a replica that is yet to speak.
        if !isSettled, tally.connected < facts.matchedPods, !tally.silent.isEmpty {
            return Verdict(
                status: .no, reason: .pending, message: "\(count); to be heard of: \(tally.silent.joined(separator: ", "))")
        }
        if tally.connected == 0 {
            return Verdict(
                status: .no, reason: .noEnvoys,
                message: facts.matchedPods == 0
                    ? "the selector matches no pod" : "none of \(facts.matchedPods) selected pods has a connected Envoy")
        }
        return Verdict(status: .yes, reason: .programmed, message: count)
    }

    private static func refused(_ status: Condition.Truth) -> Verdict {
        Verdict(status: status, reason: .invalid, message: "the spec is refused, see Accepted")
    }
}
