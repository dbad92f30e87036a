import Kubernetes

extension ServiceReport {
    /// What does not depend on who looks.
    var facts: ServiceFacts {
        ServiceFacts(
            generation: generation, listeners: listenerCount, matchedPods: matched, conflicts: conflicts, withheld: withheld,
            unresolvedSelectors: unresolvedSelectors, invalid: invalid)
    }

    /// What this replica knows of its Envoys.
    func entry(_ replica: String) -> ReplicaEntry {
        // While a listener is withheld no Envoy has the whole object, and an entry must not say so later, when it no longer is.
        ReplicaEntry(
            name: replica, observedGeneration: generation, matchedEnvoys: connected,
            programmedEnvoys: withheld.isEmpty ? programmed : 0,
            rejectedEnvoys: rejected, message: rejection ?? "")
    }
}
