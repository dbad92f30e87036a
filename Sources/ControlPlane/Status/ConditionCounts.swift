public import Kubernetes

/// How many VirtualServices say what of each condition, as the API server shows them.
///
/// A condition that an object does not have counts as unknown, so that the counts of each condition add up to the number of objects.
/// Kept by differences: an object that changes costs its own conditions, whatever else there is.
public struct ConditionCounts: Hashable, Sendable {
    private struct Key: Hashable, Sendable {
        let kind: Condition.Kind
        let status: Condition.Truth
    }

    private var counts: [Key: Int] = [:]

    init() {}

    /// How many objects have the condition `kind` with `status`.
    public func count(_ kind: Condition.Kind, _ status: Condition.Truth) -> Int {
        counts[Key(kind: kind, status: status)] ?? 0
    }

    /// An object is not what it was. Nil stands for an object that is not there.
    mutating func replace(_ old: ObservedStatus?, by new: ObservedStatus?) {
        for kind in Condition.Kind.allCases {
            if let old { counts[Key(kind: kind, status: old.truth(kind)), default: 0] -= 1 }
            if let new { counts[Key(kind: kind, status: new.truth(kind)), default: 0] += 1 }
        }
    }
}

extension ObservedStatus {
    fileprivate func truth(_ kind: Condition.Kind) -> Condition.Truth { summary?[kind]?.status ?? .unknown }
}
