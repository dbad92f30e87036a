import TestKit

/// Calls that are set up during and after a fault, by which one sees that changes reach Envoy.
struct NewCalls: Sendable {
    let scene: Scene
    private var listeners: Set<String> = []

    init(_ scene: Scene) { self.scene = scene }

    /// Writes the object of another call.
    mutating func write(_ id: String) throws {
        let call = try scene.stage.call(id)
        try scene.stage.apply(call)
        listeners.formUnion(call.listeners)
    }

    /// Waits until Envoy has all that was written, and returns how long that took from `start` on.
    func arrive(since start: ContinuousClock.Instant = .now, within limit: Duration = .seconds(60)) async throws -> Duration {
        try await scene.envoy.awaitListeners(scene.listeners.union(listeners), within: limit)
        return start.duration(to: .now)
    }
}
