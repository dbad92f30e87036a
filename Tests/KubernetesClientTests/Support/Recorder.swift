import Domain
import Kubernetes
import KubernetesClient
import Logging
import Synchronization
import TestKit

/// Takes the events of a source as short texts.
struct Recorder<Object: KeyedObject>: WatchEventReceiver, ObjectVerdictReceiver {
    let events = Observed<[String]>([])

    func receive(_ event: WatchEvent<Object>) async {
        let text =
            switch event {
            case .restarted: "restarted"
            case .applied(let object): "applied \(object.key)"
            case .deleted(let key): "deleted \(key)"
            case .synced: "synced"
            }
        events.update { $0.append(text) }
    }

    func receive(_ verdict: ObjectVerdict) async {
        let text =
            switch verdict {
            case .invalid(let metadata, let diagnostics):
                "invalid \(metadata.key) \(metadata.uid) \(metadata.generation) \(diagnostics.first?.field ?? "")"
            case .valid(let metadata): "valid \(metadata.key)"
            case .gone(let key): "gone \(key)"
            }
        events.update { $0.append(text) }
    }

    /// Waits until `count` events have come, and returns all there are.
    func events(_ count: Int) async throws -> [String] {
        try await events.wait(for: "\(count) events", within: .seconds(20)) { $0.count >= count ? $0 : nil }
    }
}

/// A clock that stands still until a test moves it: sleepers wake when their time comes.
final class TestTime: WatchTime {
    private struct State: Sendable {
        var elapsed = Duration.zero
        /// The sleeps begun, in order.
        var sleeps: [Duration] = []
    }

    private let start = ContinuousClock.now
    private let state = Observed(State())
    /// Whether sleeps of less than this end at once, as backoff does when nobody tests it.
    private let skipped: Duration

    init(skipping skipped: Duration = .zero) { self.skipped = skipped }

    var now: ContinuousClock.Instant { start + state.value.elapsed }

    func draw() -> Double { 0.5 }

    func sleep(for duration: Duration) async throws {
        let end = state.update { state in
            state.sleeps.append(duration)
            return state.elapsed + duration
        }
        if duration < skipped { return try Task.checkCancellation() }
        // An hour: whoever waits that long has another limit, the test's own.
        try await state.wait(for: "the test to move the clock", within: .seconds(3600)) { $0.elapsed >= end ? () : nil }
    }

    func advance(by duration: Duration) { state.update { $0.elapsed += duration } }

    /// Waits until somebody has begun to sleep for `duration`.
    func awaitSleep(of duration: Duration) async throws {
        try await state.wait(for: "a sleep of \(duration)", within: .seconds(20)) { $0.sleeps.contains(duration) ? () : nil }
    }

    /// The sleeps begun so far.
    var sleeps: [Duration] { state.value.sleeps }
}

/// Collects log lines.
final class LogRecorder: Sendable {
    let lines = Observed<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.lines.update { $0.append("\(event.level): \(event.message)") }
        }
    }
}
