import Kubernetes

extension ServiceReport {
    /// What does not depend on who looks.
    var facts: ServiceFacts {
        ServiceFacts(
            generation: generation, listeners: listenerCount, matchedPods: matched, conflicts: conflicts,
            unresolvedSelectors: unresolvedSelectors, invalid: invalid)
    }

    /// What this replica knows of its Envoys.
    func entry(_ replica: String) -> ReplicaEntry {
        ReplicaEntry(
            name: replica, observedGeneration: generation, matchedEnvoys: connected, programmedEnvoys: programmed,
            rejectedEnvoys: rejected, message: rejection ?? "")
    }
}
