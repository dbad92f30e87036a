import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// The port under attack: a real Envoy gets its calls as usual, and the operator's memory stays where it was.
    @Suite struct AbuseTests {
        /// Attacks of `Tests/Conformance/abuse.py`, with the MiB by which the operator may grow at its peak.
        struct Round: CustomTestStringConvertible, Sendable {
            let name: String
            let attacks: [String]
            let growth: Int
            var isTLS = false
            var testDescription: String { name }
        }

        static let rounds = [
            Round(
                name: "resets",
                attacks: ["rapid-reset", "made-you-reset", "made-you-reset-zero", "stream-churn", "request-churn"], growth: 64),
            Round(name: "headers", attacks: ["continuation", "empty-continuation", "hpack", "slow-headers"], growth: 64),
            Round(
                name: "control frames",
                attacks: ["ping", "ping-unread", "settings", "settings-unread", "priority", "window-update"], growth: 64),
            Round(name: "small frames", attacks: ["empty-data", "tiny-data", "empty-messages", "unknown-types"], growth: 64),
            Round(
                name: "connections",
                attacks: ["slow-preface", "idle", "silent-streams", "many-streams", "http1", "tls", "garbage"], growth: 96),
            Round(
                name: "TLS",
                attacks: [
                    "tls-handshakes", "tls-strangers", "tls-cut-off", "tls-slow", "tls-unfinished", "http1", "garbage",
                ], growth: 96, isTLS: true),
            Round(name: "unread answers", attacks: ["zero-window", "unread", "acknowledged-unread"], growth: 96),
            Round(name: "false messages", attacks: ["huge-prefix", "compressed", "not-protobuf"], growth: 64),
            // What is allowed to be large: a message of 32 MiB twice on its way, and what its names take.
            Round(
                name: "large messages", attacks: ["unfinished-messages", "endless-names", "small-entries", "empty-names"],
                growth: 512),
        ]

        @Test(arguments: rounds) func `an Envoy's updates arrive in time`(round: Round) async throws {
            var limits = ["--xds-max-unfinished-size", "\(128 << 20)", "--xds-max-name-size", "\(256 << 20)"]
            let store = round.isTLS ? try await CertificateStore.made() : nil
            try await store?.issue("envoy", "--dns", "envoy-ingress-0.default")
            // Those who show a certificate show one of another authority.
            let other = round.isTLS ? try await CertificateStore.made() : nil
            try await other?.issue("stranger", "--dns", "envoy-ingress-0.default")
            let environment = other.map { ["XDS_ABUSE_PAIR": $0.pair("stranger")] } ?? [:]
            limits += store?.serverArguments ?? []
            try await Stage.play(workers: 1, arguments: limits) { stage in
                let envoy = try await startEnvoy(stage, store)
                let memory = try Memory(ofProcessWith: "\(stage.xdsOperator.xds)")
                let call = try stage.call("c1f00d")
                let usual = try await updates(call, 4, stage, envoy)
                for attack in round.attacks {
                    memory.forgetPeak()
                    let before = try memory.kibibytes("VmRSS")
                    let processorTime = try stage.xdsOperator.child.processorTime()
                    let attacker = try await ChildProcess.start(
                        name: attack,
                        Conformance.command("abuse.py", ["\(stage.xdsOperator.xds)", stage.ingress.uid, attack, "4"]),
                        environment: environment)
                    stage.watch(attacker)
                    _ = try await attacker.line("the attack's begin") { $0 == "begun" ? $0 : nil }
                    let times = try await updates(call, 8, stage, envoy)
                    let result = try await attacker.line("the attack's end") { $0.hasPrefix("connections=") ? $0 : nil }
                    let grown = (try memory.kibibytes("VmHWM") - before) / 1024
                    let used = try stage.xdsOperator.child.processorTime() - processorTime
                    print("\(attack): usual \(usual), meanwhile \(times), grown \(grown) MiB, used \(used), \(result)")
                    #expect(times[4] < max(.milliseconds(300), usual[2] * 5), "\(attack): \(times), usual \(usual)")
                    #expect(times[7] < .seconds(2), "\(attack): \(times), usual \(usual)")
                    #expect(grown < round.growth, "\(attack) made the operator grow by \(grown) MiB")
                }
                #expect(try await envoy.admin.statistic("control_plane.connected_state") == 1)
            }
        }

        /// The deadline for clients that answer what they have not read, waited for: it ends them, no sooner, and leaves nothing of them.
        @Test(arguments: ["stalled-window", "stalled-socket"]) func `a client that acknowledges and never reads is shown out`(
            attack: String
        ) async throws {
            let limit = 3
            try await Stage.play(workers: 1, arguments: ["--xds-stall-timeout", "\(limit)"]) { stage in
                // For a pod without an Envoy, so much that fifty streams fill the buffers of a socket that nobody reads.
                let deaf = PodManifest("deaf", labels: ["app": "deaf"], address: "127.0.0.1")
                try stage.apply(deaf)
                var large = CallManifest(id: "1a49e", streams: (10_000..<10_400).map { .init(port: $0, workerPort: 1) })
                large.selector = deaf.labels
                try stage.apply(large)
                let envoy = try await stage.startEnvoy()
                let call = try stage.call("c1f00d")
                let usual = try await updates(call, 4, stage, envoy)
                let before = try stage.xdsOperator.child.residentByteCount()
                let attacker = try await ChildProcess.start(
                    name: attack,
                    Conformance.command("abuse.py", ["\(stage.xdsOperator.xds)", deaf.uid, attack, "40"]))
                stage.watch(attacker)
                _ = try await attacker.line("the attack's begin") { $0 == "begun" ? $0 : nil }
                let times = try await updates(call, 4, stage, envoy)
                let result = try await attacker.line("the end of all its connections", within: .seconds(50)) {
                    $0.hasPrefix("connections=") ? $0 : nil
                }
                print("\(attack): usual \(usual), meanwhile \(times), \(result)")
                #expect(times[2] < max(.milliseconds(300), usual[2] * 5), "\(attack): \(times), usual \(usual)")
                #expect(result.contains(" open=0 "), "\(result)")
                let lived = try #require(result.firstMatch(of: /lived=([0-9.]+)-([0-9.]+)/))
                let (shortest, longest) = (try #require(Double(lived.1)), try #require(Double(lived.2)))
                #expect(shortest >= Double(limit) && longest < Double(limit) * 4, "\(result)")
                #expect(stage.xdsOperator.child.tail(20_000).contains("the peer takes none of the messages waiting for it"))
                let growth = try await eventually("the operator's memory to be what it was", within: .seconds(20)) {
                    let growth = try stage.xdsOperator.child.residentByteCount() - before
                    return growth < 8 << 20 ? .met(growth) : .unmet("\(growth) bytes more")
                }
                print("\(attack): \(growth) bytes more afterwards")
                #expect(try await envoy.admin.statistic("control_plane.connected_state") == 1)
            }
        }

        private func startEnvoy(_ stage: Stage, _ store: CertificateStore?) async throws -> EnvoyProcess {
            guard let store else { return try await stage.startEnvoy() }
            let envoy = try await EnvoyProcess.start(
                configuration: store.bootstrap(stage, directory: store.pair("envoy")))
            stage.watch(envoy.child)
            try await envoy.awaitReady()
            return envoy
        }

        /// How long it takes a call to arrive at the Envoy, again and again; sorted.
        private func updates(_ call: CallManifest, _ count: Int, _ stage: Stage, _ envoy: EnvoyProcess) async throws -> [Duration]
        {
            var times: [Duration] = []
            for _ in 0..<count {
                let begin = ContinuousClock.now
                try stage.apply(call)
                try await envoy.awaitListeners(call.listeners)
                times.append(ContinuousClock.now - begin)
                try stage.delete(call)
                try await envoy.awaitListeners([])
            }
            return times.sorted()
        }
    }

    /// The memory of a process, as the kernel tells it.
    private struct Memory {
        let directory: String

        /// Finds the process that was given `argument`.
        init(ofProcessWith argument: String) throws {
            let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.first { process in
                let line = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
                return line.contains("serve\0") && line.contains("\0\(argument)\0")
            }
            directory = "/proc/\(try #require(found))"
        }

        /// A field of `status` that is given in KiB.
        func kibibytes(_ field: String) throws -> Int {
            let status = try String(contentsOfFile: "\(directory)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(field):") })
            return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
        }

        /// The peak, `VmHWM`, is counted anew from here.
        func forgetPeak() {
            try? "5".write(toFile: "\(directory)/clear_refs", atomically: false, encoding: .utf8)
        }
    }
}
