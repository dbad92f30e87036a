import HeapModule

/// Names a scheduled timer, to cancel it.
public struct TimerToken: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// Timers by deadline. Cancelling is a dictionary removal; the heap drops cancelled entries when they surface,
/// or all at once when they outnumber the live ones.
struct TimerQueue<Action> {
    private struct Entry: Comparable {
        let deadline: ContinuousClock.Instant
        let number: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }
    }

    private var heap = Heap<Entry>()
    private var actions: [UInt64: Action] = [:]
    private var nextNumber: UInt64 = 0

    /// Timers that are neither due nor cancelled.
    var count: Int { actions.count }

    mutating func schedule(at deadline: ContinuousClock.Instant, _ action: Action) -> TimerToken {
        nextNumber += 1
        heap.insert(Entry(deadline: deadline, number: nextNumber))
        actions[nextNumber] = action
        return TimerToken(number: nextNumber)
    }

    mutating func cancel(_ token: TimerToken) {
        actions[token.number] = nil
        if heap.count > 64 && heap.count > 2 * actions.count {
            heap = Heap(heap.unordered.filter { actions[$0.number] != nil })
        }
    }

    /// The earliest deadline.
    mutating func nextDeadline() -> ContinuousClock.Instant? {
        while let first = heap.min {
            if actions[first.number] != nil { return first.deadline }
            heap.removeMin()
        }
        return nil
    }

    /// Removes and returns the earliest action that is due.
    mutating func popDue(at now: ContinuousClock.Instant) -> Action? {
        guard let deadline = nextDeadline(), deadline <= now, let first = heap.popMin() else { return nil }
        return actions.removeValue(forKey: first.number)
    }
}
