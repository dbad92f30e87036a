import EnvoyAPI
import Kubernetes
import Logging
import Synchronization
import Testing
import Transport

@testable import ControlPlane

/// An Envoy whose node id stays unknown is not silent.
@Suite struct WaitingLogTests {
    /// Keeps lines, and tells of each.
    private final class Lines: Sendable {
        let all = Mutex<[(level: Logger.Level, text: String, metadata: Logger.Metadata)]>([])
        let signal: AsyncStream<String>
        private let continuation: AsyncStream<String>.Continuation

        init() {
            // Tests write few lines; what exceeds them is lost to the test alone.
            (signal, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1000))
        }

        func add(_ level: Logger.Level, _ text: String, _ metadata: Logger.Metadata) {
            all.withLock { $0.append((level, text, metadata)) }
            continuation.yield(text)
        }

        func count(containing words: String) -> Int { all.withLock { $0.count { $0.text.contains(words) } } }

        func await(containing words: String) async {
            for await text in signal where text.contains(words) { return }
        }

        var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        func log(event: LogEvent) {
            lines.add(event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { _, last in last })
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
    }

    @Test func anUnknownNodeIsLoggedOnceAndWhenItBecomesKnown() async throws {
        let lines = Lines()
        try await TestPlane.with(waitingPatience: .milliseconds(50), logger: lines.logger) { plane in
            await plane.sync([try call("a", port: 1000)])
            let stranger = try await plane.connect()
            try await stranger.send(listenerType, node: "uid-e")
            await lines.await(containing: "the Envoy waits")
            let line = lines.all.withLock { $0.first { $0.text.contains("the Envoy waits") } }
            #expect(line?.level == .warning)
            #expect(line?.metadata["node"] == "uid-e")
            #expect(line?.metadata["peer"] != nil)
            #expect(line?.text.contains("Set node.id in its bootstrap to the pod's uid") == true)
            await plane.pods.receive(.applied(envoyPod("e")))
            #expect(try await stranger.response(0).resources.map(\.name) == ["l-a"])
            #expect(lines.count(containing: "is known now") == 1)
            #expect(lines.count(containing: "the Envoy waits") == 1)
        }
    }

    /// Before everything has been read every stream waits, which is nobody's fault.
    @Test func nobodyIsBlamedBeforeEverythingIsRead() async throws {
        let lines = Lines()
        try await TestPlane.with(waitingPatience: .milliseconds(20), logger: lines.logger) { plane in
            let stream = try await plane.connect()
            try await stream.send(listenerType, node: "uid-e")
            // Many times the patience.
            let (loop, passed) = (try EventLoop(name: "test"), Gate())
            await loop.perform { _ = loop.schedule(after: .milliseconds(300)) { passed.open() } }
            await passed.wait()
            #expect(lines.count(containing: "stream began") == 1)
            #expect(lines.count(containing: "the Envoy waits") == 0)
        }
    }

    @Test func linesAreFewAndCountWhatTheyLeaveOut() {
        let lines = Lines()
        let log = WaitingLog(readiness: Readiness())
        let start = ContinuousClock.now
        let written = (0..<100).count { _ in log.report(with: lines.logger, now: start) }
        #expect(written == 20)
        #expect(!log.report(with: lines.logger, now: start + .seconds(59)))
        #expect(log.report(with: lines.logger, now: start + .seconds(60)))
        #expect(lines.count(containing: "81 more such lines") == 1)
        #expect(log.report(with: lines.logger, now: start + .seconds(61)))
        #expect(lines.count(containing: "more such lines") == 1)
    }
}
