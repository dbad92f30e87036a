import Synchronization

/// A value that threads change and tasks wait upon, so that nobody needs to sleep and look again.
public final class Observed<Value: Sendable>: Sendable {
    private struct Waiter: Sendable {
        /// Resumes the waiting task and returns true when the value is what it waits for.
        let resumeIfMet: @Sendable (Value) -> Bool
        let cancel: @Sendable () -> Void
    }

    private struct State: Sendable {
        var value: Value
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state: Mutex<State>

    /// Starts with `value`.
    public init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    /// The present value.
    public var value: Value { state.withLock { $0.value } }

    /// Changes the value and resumes whoever waited for what it became.
    @discardableResult
    public func update<Result: Sendable>(_ change: @Sendable (inout Value) -> Result) -> Result {
        state.withLock { state in
            let result = change(&state.value)
            for (id, waiter) in state.waiters where waiter.resumeIfMet(state.value) {
                state.waiters[id] = nil
            }
            return result
        }
    }

    /// Waits until `condition` returns something for the value, and returns it.
    ///
    /// - Parameter what: completes the sentence "waited in vain for …".
    /// - Throws: `TimedOut` after `limit`, `CancellationError` when the task is cancelled.
    public func wait<Result: Sendable>(
        for what: String, within limit: Duration, until condition: @escaping @Sendable (Value) -> Result?
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.firstMatch(condition) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TimedOut(what: what, limit: limit)
            }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private func firstMatch<Result: Sendable>(_ condition: @escaping @Sendable (Value) -> Result?) async throws -> Result {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
                state.withLock { state in
                    // The handler below takes the same lock: either it finds the waiter, or the cancellation is seen here.
                    guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                    let waiter = Waiter(
                        resumeIfMet: { value in
                            guard let result = condition(value) else { return false }
                            continuation.resume(returning: result)
                            return true
                        },
                        cancel: { continuation.resume(throwing: CancellationError()) })
                    if !waiter.resumeIfMet(state.value) { state.waiters[id] = waiter }
                }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.cancel()
        }
    }
}
