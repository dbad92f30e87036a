/// The part of a VirtualService's status that the leader writes: everything but the replicas' entries.
public struct StatusSummary: Hashable, Sendable {
    /// The generation of the spec that the rest speaks of.
    public var observedGeneration: Int64
    /// Listeners of the object.
    public var listeners: Int
    /// Envoys that are connected and selected, over all replicas.
    public var matchedEnvoys: Int
    /// Of these, how many have acknowledged the generation.
    public var programmedEnvoys: Int
    /// The conditions, in the order of ``Condition/Kind``.
    public var conditions: [Condition]

    /// Makes a summary.
    public init(observedGeneration: Int64, listeners: Int, matchedEnvoys: Int, programmedEnvoys: Int, conditions: [Condition]) {
        self.observedGeneration = observedGeneration
        self.listeners = listeners
        self.matchedEnvoys = matchedEnvoys
        self.programmedEnvoys = programmedEnvoys
        self.conditions = conditions
    }

    /// The condition of a kind, if it is there.
    public subscript(kind: Condition.Kind) -> Condition? { conditions.first { $0.kind == kind } }

    /// Whether the Envoys' state at a generation has been settled once: then a replica that says nothing has nothing to say.
    public func concludes(generation: Int64) -> Bool {
        guard let programmed = self[.programmed] else { return false }
        let passing: [Condition.Reason] = [.pending, .conflicted]
        return programmed.observedGeneration == generation && !passing.contains { $0.rawValue == programmed.reason }
    }

    /// Whether the entries tell which replicas have Envoys of an object that is being deleted: its last spec was valid, and its Envoys'
    /// state was settled.
    /// - Parameter generation: that of the deletion, which is a generation of its own.
    public func accountsForEnvoys(before generation: Int64) -> Bool {
        guard let reason = self[.programmed]?.reason, reason != Condition.Reason.invalid.rawValue else { return false }
        return concludes(generation: generation) || generation > 1 && concludes(generation: generation - 1)
    }
}
