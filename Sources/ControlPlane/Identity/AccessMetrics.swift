import Synchronization

/// Counts who was let in and who was not; readable from anywhere.
public final class AccessMetrics: Sendable {
    private let allowed = Atomic<Int>(0)
    private let anonymous = Atomic<Int>(0)
    private let badToken = Atomic<Int>(0)
    private let otherPod = Atomic<Int>(0)
    private let notAdministrator = Atomic<Int>(0)
    private let undecided = Atomic<Int>(0)
    private let reviews = Atomic<Int>(0)
    private let failedReviews = Atomic<Int>(0)

    /// Makes counters at zero.
    public init() {}

    /// RPCs that were authorized.
    public var allowedCount: Int { allowed.load(ordering: .relaxed) }
    /// Reviews of tokens that the API server was asked for.
    public var reviewCount: Int { reviews.load(ordering: .relaxed) }
    /// Those that it did not answer.
    public var failedReviewCount: Int { failedReviews.load(ordering: .relaxed) }

    /// RPCs that were refused for this reason.
    public func denials(_ denial: IdentityRules.Denial) -> Int {
        switch denial {
        case .anonymous: anonymous.load(ordering: .relaxed)
        case .badToken: badToken.load(ordering: .relaxed)
        case .otherPod: otherPod.load(ordering: .relaxed)
        case .notAdministrator: notAdministrator.load(ordering: .relaxed)
        case .undecided: undecided.load(ordering: .relaxed)
        }
    }

    func wasAllowed() { allowed.add(1, ordering: .relaxed) }
    func reviewed() { reviews.add(1, ordering: .relaxed) }
    func reviewFailed() { failedReviews.add(1, ordering: .relaxed) }

    func wasDenied(_ denial: IdentityRules.Denial) {
        switch denial {
        case .anonymous: anonymous.add(1, ordering: .relaxed)
        case .badToken: badToken.add(1, ordering: .relaxed)
        case .otherPod: otherPod.add(1, ordering: .relaxed)
        case .notAdministrator: notAdministrator.add(1, ordering: .relaxed)
        case .undecided: undecided.add(1, ordering: .relaxed)
        }
    }
}
