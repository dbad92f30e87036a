/// One condition of a VirtualService, as `metav1.Condition`.
public struct Condition: Hashable, Sendable {
    /// The conditions that the operator writes.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The spec is valid.
        case accepted = "Accepted"
        /// Another object claims the same name or port on the same Envoys.
        case conflicted = "Conflicted"
        /// Every endpoint selector matches a pod.
        case resolvedReferences = "ResolvedRefs"
        /// Every selected and connected Envoy has acknowledged this generation.
        case programmed = "Programmed"
    }

    /// Whether it holds.
    public enum Truth: String, Hashable, Sendable, CaseIterable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    /// Why, for programs.
    public enum Reason: String, Hashable, Sendable {
        case valid = "Valid"
        case invalid = "Invalid"
        case conflict = "Conflict"
        case noConflict = "NoConflict"
        case resolved = "Resolved"
        case noMatchingPods = "NoMatchingPods"
        case programmed = "Programmed"
        case pending = "Pending"
        case conflicted = "Conflicted"
        case noEnvoys = "NoEnvoys"
        case rejected = "Rejected"
    }

    /// Which condition it is.
    public var kind: Kind
    /// Whether it holds.
    public var status: Truth
    /// The generation of the spec that it speaks of.
    public var observedGeneration: Int64
    /// When `status` last changed, in seconds since 1970.
    public var lastTransitionSeconds: Int64
    /// Why, as written; one of ``Reason`` unless somebody else wrote it.
    public var reason: String
    /// Why, for people.
    public var message: String

    /// Makes a condition.
    public init(
        kind: Kind, status: Truth, observedGeneration: Int64, lastTransitionSeconds: Int64, reason: String, message: String
    ) {
        self.kind = kind
        self.status = status
        self.observedGeneration = observedGeneration
        self.lastTransitionSeconds = lastTransitionSeconds
        self.reason = reason
        self.message = message
    }
}
