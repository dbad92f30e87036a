/// Sets of labels seen lately, so that objects with equal labels share one storage.
///
/// Bounded: of sets that are each seen once, as those of numbered pods, it remembers some thousand and then begins anew.
public struct LabelPool: Sendable {
    private static let limit = 1024

    private var known: Set<[String: String]> = []

    /// Makes an empty pool.
    public init() {}

    /// The storage to use for `labels`, and whether it is that of `labels` itself.
    mutating func shared(_ labels: [String: String]) -> (labels: [String: String], isNew: Bool) {
        if known.count >= Self.limit { known = [] }
        let (isNew, member) = known.insert(labels)
        return (member, isNew)
    }
}
