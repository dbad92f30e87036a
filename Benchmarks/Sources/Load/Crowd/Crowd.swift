import Foundation
public import Measurement

/// Thousands of simulated Envoys on a thread of their own.
///
/// Safe to use from anywhere: what the thread owns is reached by commands, and what it tells is copied.
public final class Crowd: Sendable {
    private let shared: CrowdShared

    /// Makes a crowd that does nothing yet.
    public init(_ options: CrowdOptions) throws {
        let shared = try CrowdShared()
        self.shared = shared
        let thread = Thread {
            do {
                try CrowdLoop(options, shared: shared).run()
            } catch {
                var failed = CrowdState()
                failed.lost = options.nodeIDs.count
                failed.lastLoss = "\(error)"
                shared.publish(failed)
            }
        }
        thread.name = "crowd"
        thread.start()
    }

    deinit { shared.perform { $0.stop() } }

    /// How far everyone is.
    public var state: CrowdState { shared.current }

    /// Connects everyone who is not connected.
    public func connect() { shared.perform { $0.connectAll() } }

    /// Breaks all connections; everyone comes back with what it has.
    public func reconnect() { shared.perform { $0.breakAll() } }

    /// Waits until all streams have been answered to what they ask for first; returns the seconds it took.
    public func awaitComplete(within limit: Duration) async throws -> Double {
        let state = try await awaitState("all streams to be complete", within: limit) { $0.completeAt != nil }
        guard let begin = state.beganAt, let end = state.completeAt else { return 0 }
        return Double(end.since(begin)) / 1e9
    }

    /// From now on each steady stream's receipt of `expected` resources with `marker` is measured, against the moment `start`.
    public func beginRound(marker: String, expected: Int = 1, startedAt start: Moment) {
        shared.perform { loop in
            loop.round = Round(marker: marker, expected: expected, startedAt: start, streams: loop.state.streams)
        }
    }

    /// Waits until all steady streams have acknowledged the round's change, and returns how long each took.
    public func finishRound(within limit: Duration) async throws -> RoundResult {
        try await awaitState("the change to be acknowledged by all", within: limit) { $0.acknowledged >= $0.steady }
        return await ask { loop in
            defer { loop.round = nil }
            return loop.round?.result
        } ?? RoundResult(received: [], acknowledged: [])
    }

    /// From now on calls are measured, each of which concerns `audience` streams.
    public func beginCalls(audience: Int) {
        shared.perform { $0.calls = CallTracker(audience: audience) }
    }

    /// The objects of a call are about to be created: returns once the crowd counts it, lest an Envoy have it before that.
    public func createCall(_ number: Int) async {
        await ask { $0.calls?.create(number, at: .now) }
    }

    /// Calls that not everybody has acknowledged yet.
    public func pendingCalls() async -> Int { await ask { $0.calls?.pendingCount ?? 0 } }

    /// What was measured of calls since `beginCalls`.
    public func takeCalls() async -> CallResult { await ask { $0.calls?.result ?? CallResult() } }

    /// Waits until the state satisfies `condition`, looking every few milliseconds.
    @discardableResult
    public func awaitState(
        _ what: String, within limit: Duration, _ condition: (CrowdState) -> Bool
    ) async throws -> CrowdState {
        let deadline = ContinuousClock.now + limit
        while true {
            let state = state
            if condition(state) { return state }
            guard ContinuousClock.now < deadline else {
                throw LoadError.timedOut(
                    "\(what): \(state.complete) of \(state.streams) streams are complete, \(state.acknowledged) of "
                        + "\(state.steady) have acknowledged, \(state.lost) connections were lost \(state.lastLoss)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func ask<Result: Sendable>(_ question: @escaping @Sendable (CrowdLoop) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            shared.perform { continuation.resume(returning: question($0)) }
        }
    }
}
