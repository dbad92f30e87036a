import Domain
import Kubernetes

/// One thing to write to a VirtualService.
enum StatusWrite: Hashable, Sendable {
    /// The conditions and totals; the leader only.
    case summary(StatusSummary)
    /// This replica's entry; nil withdraws it.
    case entry(ReplicaEntry?)
    /// Entries of replicas that are gone, by position; the leader only.
    case clear([Int])
    /// Our finalizer, from this list; the leader only.
    case removeFinalizer([String])

    /// Whether only the leader may do it.
    var needsLeadership: Bool {
        if case .entry = self { false } else { true }
    }

    /// Whether it writes the status subresource.
    var isStatus: Bool {
        if case .removeFinalizer = self { false } else { true }
    }

    /// Whether it is a JSON patch with tests.
    var hasTests: Bool {
        switch self {
        case .clear, .removeFinalizer: true
        case .summary, .entry: false
        }
    }
}

/// A write that was sent, until the watch shows it.
struct Echo: Sendable {
    let write: StatusWrite
    let at: Duration
    /// How often it was written again because the watch did not show it.
    let repetitions: Int

    /// When it may be written again.
    func expiry(_ echoTime: Duration) -> Duration { at + echoTime * (1 << min(repetitions, 6)) }
}

/// What an object's state calls for.
enum StatusStep: Hashable, Sendable {
    case write(StatusWrite)
    /// Nothing before that time.
    case wait(until: Duration)
    case idle
}

/// What a decision depends on besides the object.
struct StatusContext: Sendable {
    let now: Duration
    let seconds: Int64
    let isLeader: Bool
    let canWriteStatus: Bool
    let roster: ReplicaRoster
}
