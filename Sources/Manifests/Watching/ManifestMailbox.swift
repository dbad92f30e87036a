import Domain
import Synchronization

/// Hands changes from the thread that watches files to the task that delivers them. Changes of an object that nobody took yet
/// are replaced by later ones, so that a slow receiver costs at most one entry per object.
final class ManifestMailbox: Sendable {
    /// Changed objects; nil for those that are gone.
    struct Changes: Sendable {
        var virtualServices: [ObjectKey: VirtualService?] = [:]
        var pods: [ObjectKey: Pod?] = [:]

        var isEmpty: Bool { virtualServices.isEmpty && pods.isEmpty }
    }

    private struct State {
        var changes = Changes()
        /// How watching ended; nil while it lasts.
        var end: Result<Void, any Error>?
        var waiter: CheckedContinuation<Void, any Error>?
    }

    /// Rings when there is something to take: first for the complete first reading, even when it is empty. One slot, because
    /// whoever hears it takes all there is. Ends with the watching.
    let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() {
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds changes and rings.
    func post(_ changes: Changes) {
        state.withLock { state in
            state.changes.virtualServices.merge(changes.virtualServices) { $1 }
            state.changes.pods.merge(changes.pods) { $1 }
        }
        ring.yield()
    }

    /// Removes and returns the changes.
    func take() -> Changes {
        state.withLock { state in
            defer { state.changes = Changes() }
            return state.changes
        }
    }

    /// Says how watching ended, and ends the bell. The last thing that the watching thread does.
    func finish(_ end: Result<Void, any Error>) {
        let waiter = state.withLock { state in
            state.end = end
            defer { state.waiter = nil }
            return state.waiter
        }
        ring.finish()
        waiter?.resume(with: end)
    }

    /// Waits until watching has ended, also in a cancelled task; throws why it failed. For one caller.
    func end() async throws {
        try await withCheckedThrowingContinuation { waiter in
            let end = state.withLock { state in
                if state.end == nil { state.waiter = waiter }
                return state.end
            }
            if let end { waiter.resume(with: end) }
        }
    }
}
