import AllocationCount
import Glibc

/// What a piece of code costs, so measured that neither other threads nor other programs change it much.
struct Cost {
    /// Calls of the allocator.
    var allocations: UInt64
    /// CPU time of this thread, in nanoseconds: good for telling ten from ten thousand, not for more.
    var nanoseconds: Int

    /// Runs `body` some times, the first to make what is made once. The least time counts, and the median of allocations, because tables
    /// whose hashes differ from run to run are not always equally full.
    static func least(of times: Int = 9, _ body: () throws -> Void) rethrows -> Cost {
        for _ in 0..<2 { try body() }
        let costs = try (0..<times).map { _ in
            let (time, count) = (threadNanoseconds, allocation_count())
            try body()
            return Cost(allocations: allocation_count() - count, nanoseconds: threadNanoseconds - time)
        }
        return Cost(
            allocations: costs.map(\.allocations).sorted()[times / 2], nanoseconds: costs.map(\.nanoseconds).min() ?? 0)
    }

    private static var threadNanoseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Whether this could be the same work as `other`: what grows with a world a thousand times as large is not.
    func isLike(_ other: Cost) -> Bool {
        allocations <= other.allocations + other.allocations / 5 + 2 && nanoseconds <= 4 * other.nanoseconds
    }
}
