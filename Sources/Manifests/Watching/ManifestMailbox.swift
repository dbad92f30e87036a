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
        var failure: (any Error)?
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

    /// Ends the bell, because watching ended in order or failed.
    func finish(failure: (any Error)? = nil) {
        state.withLock { $0.failure = failure }
        ring.finish()
    }

    /// Why watching failed.
    var failure: (any Error)? { state.withLock { $0.failure } }
}
