import Domain
import Foundation
import Kubernetes
import Logging
import Manifests
import ServiceLifecycle
import Synchronization
import Testing

/// The source against real files and real inotify. Every wait is for an event; what must *not* happen is shown by a later change of
/// another object, which comes next.
@Suite(.timeLimit(.minutes(1))) struct ManifestSourceTests {
    let directory: TemporaryDirectory
    let services = Recorder<VirtualService> { "\($0.key.name) \($0.listeners.first?.port.description ?? "-")" }
    let pods = Recorder<Pod> { "\($0.key.name) \($0.addresses.first?.description ?? "-")" }
    let log = RecordingLog()

    init() throws { directory = try TemporaryDirectory() }

    /// Runs a source of `path` while `body` lasts.
    private func running(_ path: String? = nil, _ body: () async throws -> Void) async throws {
        let log = log
        let logger = Logger(label: "test") { _ in log }
        let source = ManifestSource(directory: path ?? directory.path, virtualServices: services, pods: pods, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await source.run() }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test func anEmptyDirectoryIsAnEmptyList() async throws {
        try await running {
            #expect(await services.next(2) == ["restarted", "synced"])
            #expect(await pods.next(2) == ["restarted", "synced"])
        }
    }

    @Test func createChangeAndDelete() async throws {
        try directory.write(Manifest.service("a", port: 1) + "---\n" + Manifest.service("b", port: 1), to: "m.yaml")
        try directory.write(Manifest.pod("p"), to: "p.yaml")
        try await running {
            #expect(await services.next(4) == ["restarted", "applied a 1", "applied b 1", "synced"])
            #expect(await pods.next(3) == ["restarted", "applied p 10.0.0.1", "synced"])
            try directory.write(Manifest.service("c", port: 1), to: "c.json")
            #expect(await services.next() == ["applied c 1"])
            try directory.write(Manifest.service("a", port: 1) + "---\n" + Manifest.service("b", port: 2), to: "m.yaml")
            #expect(await services.next() == ["applied b 2"])
            try directory.write(Manifest.service("b", port: 2), to: "m.yaml")
            #expect(await services.next() == ["deleted default/a"])
            try directory.remove("c.json")
            #expect(await services.next() == ["deleted default/c"])
            try directory.write(Manifest.pod("p", address: "10.0.0.2"), to: "p.yaml")
            #expect(await pods.next() == ["applied p 10.0.0.2"])
            try directory.remove("p.yaml")
            #expect(await pods.next() == ["deleted default/p"])
        }
        #expect(await services.rest == [])
        #expect(await pods.rest == [])
    }

    @Test func atomicRename() async throws {
        try directory.write(Manifest.service("a", port: 1), to: "a.yaml")
        try await running {
            _ = await services.next(3)
            try directory.write(Manifest.service("a", port: 2), to: ".a.yaml.tmp")
            try directory.rename(".a.yaml.tmp", to: "a.yaml")
            #expect(await services.next() == ["applied a 2"])
            try directory.rename("a.yaml", to: "b.yaml")
            try directory.write(Manifest.service("z"), to: "z.yaml")
            #expect(await services.next() == ["applied z 2000"])
        }
    }

    @Test func aBrokenEditKeepsTheLastGoodFormAndAFixHeals() async throws {
        try directory.write(Manifest.service("a", port: 1) + "---\n" + Manifest.service("b", port: 1), to: "m.yaml")
        try await running {
            _ = await services.next(4)
            // One document invalid, the other changed.
            try directory.write(Manifest.service("a", port: 0) + "---\n" + Manifest.service("b", port: 2), to: "m.yaml")
            #expect(await services.next() == ["applied b 2"])
            #expect(
                log.take() == [
                    "error \(directory["m.yaml"]):9: spec.listeners[0].udp.port: must be a port from 1 to 65535, not 0"
                ])
            // Neither document can be told.
            try directory.write("a: [", to: "m.yaml")
            try directory.write(Manifest.service("x"), to: "x.yaml")
            #expect(await services.next() == ["applied x 2000"])
            // Still not known what the second document is.
            try directory.write(Manifest.service("a", port: 1) + "---\n}", to: "m.yaml")
            try directory.write(Manifest.service("w"), to: "w.yaml")
            #expect(await services.next() == ["applied w 2000"])
            // Healed: one has changed, the other is really gone.
            try directory.write(Manifest.service("a", port: 3), to: "m.yaml")
            #expect(await services.next(2) == ["applied a 3", "deleted default/b"])
        }
    }

    @Test func anObjectThatIsBrokenFromTheStartComesWithItsFix() async throws {
        try directory.write(Manifest.service("a", port: 0), to: "a.yaml")
        try await running {
            #expect(await services.next(2) == ["restarted", "synced"])
            try directory.write(Manifest.service("a", port: 1), to: "a.yaml")
            #expect(await services.next() == ["applied a 1"])
        }
    }

    @Test func theLinkSwapOfAMountedConfigMap() async throws {
        try directory.makeDirectory("..2024_1")
        try directory.write(Manifest.service("a", port: 1), to: "..2024_1/a.yaml")
        try directory.write(Manifest.service("b", port: 1), to: "..2024_1/b.yaml")
        try directory.link("..data", to: "..2024_1")
        try directory.link("a.yaml", to: "..data/a.yaml")
        try directory.link("b.yaml", to: "..data/b.yaml")
        try await running {
            #expect(await services.next(4) == ["restarted", "applied a 1", "applied b 1", "synced"])
            for revision in 2...4 {
                try directory.makeDirectory("..2024_\(revision)")
                try directory.write(Manifest.service("a", port: revision), to: "..2024_\(revision)/a.yaml")
                try directory.write(Manifest.service("b", port: 1), to: "..2024_\(revision)/b.yaml")
                try directory.link("..data_tmp", to: "..2024_\(revision)")
                try directory.rename("..data_tmp", to: "..data")
                try directory.remove("..2024_\(revision - 1)")
                #expect(await services.next() == ["applied a \(revision)"])
            }
            try directory.remove("b.yaml")
            #expect(await services.next() == ["deleted default/b"])
        }
    }

    @Test func theTargetOfALinkIsWatched() async throws {
        let elsewhere = try TemporaryDirectory()
        try elsewhere.write(Manifest.service("a", port: 1), to: "real.txt")
        try directory.link("a.yaml", to: elsewhere["real.txt"])
        try await running {
            _ = await services.next(3)
            try elsewhere.write(Manifest.service("a", port: 2), to: "real.txt")
            #expect(await services.next() == ["applied a 2"])
        }
    }

    @Test func theDirectoryIsReplaced() async throws {
        try directory.makeDirectory("conf")
        try directory.write(Manifest.service("a", port: 1), to: "conf/a.yaml")
        try directory.write(Manifest.service("b", port: 1), to: "conf/b.yaml")
        try await running(directory["conf"]) {
            _ = await services.next(4)
            try directory.rename("conf", to: "old")
            try directory.makeDirectory("new")
            try directory.write(Manifest.service("a", port: 2), to: "new/a.yaml")
            try directory.rename("new", to: "conf")
            #expect(await services.next(2) == ["applied a 2", "deleted default/b"])
            // And it is watched.
            try directory.write(Manifest.service("a", port: 3), to: "conf/a.yaml")
            #expect(await services.next() == ["applied a 3"])
        }
    }

    @Test func theDirectoryIsALinkThatIsSwitched() async throws {
        try directory.makeDirectory("one")
        try directory.makeDirectory("two")
        try directory.write(Manifest.service("a", port: 1), to: "one/a.yaml")
        try directory.write(Manifest.service("a", port: 2), to: "two/a.yaml")
        try directory.link("current", to: "one")
        try await running(directory["current"]) {
            _ = await services.next(3)
            try directory.link("next", to: "two")
            try directory.rename("next", to: "current")
            #expect(await services.next() == ["applied a 2"])
        }
    }

    @Test func whileTheDirectoryIsMissingNothingChanges() async throws {
        try directory.makeDirectory("conf")
        try directory.write(Manifest.service("a", port: 1), to: "conf/a.yaml")
        try await running(directory["conf"]) {
            _ = await services.next(3)
            try directory.rename("conf", to: "away")
            await log.next { $0.contains("stays in service") }
            #expect(await services.rest == [])
            try directory.rename("away", to: "conf")
            try directory.write(Manifest.service("b", port: 1), to: "conf/b.yaml")
            #expect(await services.next() == ["applied b 1"])
        }
    }

    @Test func subdirectoriesComeAndGo() async throws {
        try await running {
            _ = await services.next(2)
            try directory.makeDirectory("new/deep")
            try directory.write(Manifest.service("a", port: 1), to: "new/deep/a.yaml")
            #expect(await services.next() == ["applied a 1"])
            try directory.write(Manifest.service("a", port: 2), to: "new/deep/a.yaml")
            #expect(await services.next() == ["applied a 2"])
            try directory.remove("new")
            #expect(await services.next() == ["deleted default/a"])
        }
    }

    /// As a writer leaves it that truncated the file and found the disk full.
    @Test func anEmptiedFileDeletesNothing() async throws {
        try directory.write(Manifest.service("a", port: 1), to: "m.yaml")
        try await running {
            _ = await services.next(3)
            let descriptor = open(directory["m.yaml"], O_WRONLY | O_TRUNC)
            #expect(descriptor >= 0)
            close(descriptor)
            await log.next { $0.contains("is empty, as a full disk leaves it") }
            #expect(await services.rest == [])
            try directory.write(Manifest.service("a", port: 2), to: "m.yaml")
            #expect(await services.next() == ["applied a 2"])
            try directory.write("# nothing\n", to: "m.yaml")
            #expect(await services.next() == ["deleted default/a"])
        }
    }

    @Test func aHalfWrittenFileDeletesNothing() async throws {
        let text = Manifest.service("a", port: 1) + "---\n" + Manifest.service("b", port: 1)
        try directory.write(text, to: "m.yaml")
        try await running {
            _ = await services.next(4)
            let changed = Array(text.replacing("port: 1\n", with: "port: 2\n").utf8)
            let half = changed.count / 2
            let descriptor = open(directory["m.yaml"], O_WRONLY | O_TRUNC)
            #expect(descriptor >= 0)
            #expect(write(descriptor, Array(changed[..<half]), half) == half)
            // A change of another file, and of the tree, makes the source look at the directory meanwhile.
            try directory.makeDirectory("more")
            try directory.write(Manifest.service("x"), to: "more/x.yaml")
            #expect(await services.next() == ["applied x 2000"])
            #expect(write(descriptor, Array(changed[half...]), changed.count - half) == changed.count - half)
            close(descriptor)
            #expect(await services.next(2) == ["applied a 2", "applied b 2"])
        }
    }

    /// Rewrites in place race with the reading: what a reader sees of a file that was truncated again must not count.
    @Test func rewritesNeverDelete() async throws {
        func text(_ port: Int) -> String { Manifest.service("a", port: port) + "---\n" + Manifest.service("b", port: 1) }
        try directory.write(text(1), to: "m.yaml")
        try await running {
            _ = await services.next(4)
            for port in 2...2000 {
                try directory.write(text(port), to: "m.yaml")
                if port % 50 == 0 { try directory.write("# \(port)", to: "comment-\(port).yaml") }
            }
            var event = ""
            while event != "applied a 2000" {
                event = await services.next()[0]
                #expect(event.hasPrefix("applied a "))
            }
        }
        #expect(log.take() == [])
    }

    @Test func theSameObjectInTwoFiles() async throws {
        try directory.write(Manifest.service("a", port: 2), to: "b.yaml")
        try await running {
            _ = await services.next(3)
            try directory.write(Manifest.service("a", port: 1), to: "a.yaml")
            #expect(await services.next() == ["applied a 1"])
            #expect(
                log.take() == [
                    "error \(directory["b.yaml"]):1: VirtualService default/a is given by \(directory["a.yaml"]):1 as well, "
                        + "which is used: remove one of the two"
                ])
            try directory.remove("a.yaml")
            #expect(await services.next() == ["applied a 2"])
        }
    }

    @Test func aMissingDirectoryIsAnErrorAtTheStart() async throws {
        await #expect(throws: ManifestSourceError.self) { try await running(directory["absent"]) {} }
        #expect(await services.rest == [])
    }

    @Test func aGracefulShutdownEndsIt() async throws {
        let source = ManifestSource(
            directory: directory.path, virtualServices: services, pods: pods,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let group = ServiceGroup(services: [source], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            #expect(await services.next(2) == ["restarted", "synced"])
            await group.triggerGracefulShutdown()
            // Returns, and throws nothing.
            try await tasks.waitForAll()
        }
    }

    @Test func aBurstOfFilesArrivesComplete() async throws {
        try await running {
            _ = await services.next(2)
            for number in 0..<200 { try directory.write(Manifest.service("s\(number)"), to: "s\(number).yaml") }
            #expect(Set(await services.next(200)) == Set((0..<200).map { "applied s\($0) 2000" }))
            for number in 0..<200 { try directory.remove("s\(number).yaml") }
            #expect(Set(await services.next(200)) == Set((0..<200).map { "deleted default/s\($0)" }))
        }
    }
}

/// Keeps what is logged from level warning up, as `level message`.
final class RecordingLog: LogHandler, Sendable {
    private struct State {
        var lines: [String] = []
        var waiting: (@Sendable (String) -> Bool, CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var logLevel: Logger.Level {
        get { .warning }
        set { _ = newValue }
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set { _ = newValue }
    }

    func log(event: LogEvent) {
        let line = "\(event.level) \(event.message)"
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.lines.append(line)
            guard let (matches, continuation) = state.waiting, matches(line) else { return nil }
            state.waiting = nil
            return continuation
        }
        waiting?.resume()
    }

    /// The lines so far, which are forgotten.
    func take() -> [String] {
        state.withLock { state in
            defer { state.lines = [] }
            return state.lines
        }
    }

    /// Returns once a line that `matches` was logged.
    func next(_ matches: @escaping @Sendable (String) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.lines.contains(where: matches) { return true }
                state.waiting = (matches, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
