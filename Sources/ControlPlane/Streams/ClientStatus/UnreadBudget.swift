import Synchronization

/// Bytes that clients may leave unread altogether.
final class UnreadBudget: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes `count` bytes of the budget; returns whether it had them.
    func take(_ count: Int) -> Bool {
        guard taken.add(count, ordering: .relaxed).newValue > limit else { return true }
        giveBack(count)
        return false
    }

    func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}
