import Glibc

/// A moment of the monotonic clock, in nanoseconds; comparable across processes of one machine.
public struct Moment: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's beginning.
    public let nanoseconds: Int64

    /// Makes a moment.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The present.
    public static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Nanoseconds from `start` to this moment.
    public func since(_ start: Moment) -> Int64 { nanoseconds - start.nanoseconds }

    /// The moment `seconds` later.
    public func advanced(seconds: Double) -> Moment { Moment(nanoseconds: nanoseconds + Int64(seconds * 1e9)) }

    public static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }
}
