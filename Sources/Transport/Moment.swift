/// A moment of the continuous clock in nanoseconds, for what each connection keeps and each push looks at.
///
/// `ContinuousClock.Instant` is twice as wide, its size is known at run time only, and as an optional it takes another word; a
/// connection keeps ten. Those that may be missing are `never`, which is later than all others.
struct Moment: Comparable {
    private var nanoseconds: Int64

    /// Later than every other moment.
    static let never = Moment(nanoseconds: .max)

    /// When this process first asked for a moment.
    private static let origin = ContinuousClock.now

    private init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    init(_ instant: ContinuousClock.Instant) { nanoseconds = Self.nanoseconds(instant - Self.origin) }

    static var now: Moment { Moment(.now) }

    /// Whether it is not `never`.
    var isSet: Bool { self != .never }

    static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Sums beyond 292 years from the origin are `never`.
    static func + (moment: Moment, duration: Duration) -> Moment {
        let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(nanoseconds(duration))
        return overflow ? .never : Moment(nanoseconds: sum)
    }

    static func - (left: Moment, right: Moment) -> Duration { .nanoseconds(left.nanoseconds &- right.nanoseconds) }

    private static func nanoseconds(_ duration: Duration) -> Int64 { Int64(clamping: duration.attoseconds / 1_000_000_000) }
}
