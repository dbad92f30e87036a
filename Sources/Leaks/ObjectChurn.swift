import TestKit

/// Calls, and the pods of their workers, that are set up and torn down by the thousand with a real Envoy connected.
public enum ObjectChurn {
    private static let callsAtOnce = 100
    private static let podsAtOnce = 20

    /// Sets up and tears down `count` calls, after a quarter of them as a warm-up, and returns what the operator held before and after.
    public static func play(_ count: Int) async throws -> (before: Figures, after: Figures) {
        let result = Observed<(Figures, Figures)?>(nil)
        try await Stage.play { stage in
            let envoy = try await stage.startEnvoy()
            func pass(_ number: Int) async throws -> Figures {
                for round in 0..<max(1, number / callsAtOnce) { try await setUpAndTearDown(stage, envoy, round) }
                return try await Figures.of(stage.xdsOperator, streams: 1)
            }
            let before = try await pass(count / 4)
            result.update { [after = try await pass(count)] in $0 = (before, after) }
        }
        guard let result = result.value else { throw CancellationError() }
        return result
    }

    /// One file of calls and pods comes and goes; names and addresses are new each time.
    private static func setUpAndTearDown(_ stage: Stage, _ envoy: EnvoyProcess, _ round: Int) async throws {
        // From a range that nobody else uses in the network namespace of this process, and not while the last round's listeners drain.
        let base = 40_000 + round % 4 * callsAtOnce
        let calls = (0..<callsAtOnce).map { number in
            CallManifest(id: "\(round)-\(number)", streams: [.init(port: UInt16(base + number), workerPort: 4_000)])
        }
        let pods = (0..<podsAtOnce).map {
            PodManifest("worker-\(round)-\($0)", labels: ["app": "worker"], address: "127.200.\(round % 250 + 1).\($0 + 1)")
        }
        try stage.objects.write("churn.yaml", (calls.map(\.yaml) + pods.map(\.yaml)).joined(separator: "\n---\n"))
        try await envoy.awaitStatistic("listener_manager.total_listeners_active", within: .seconds(60)) { $0 == callsAtOnce }
        try stage.objects.remove("churn.yaml")
        try await envoy.awaitStatistic("listener_manager.total_listeners_active", within: .seconds(60)) { $0 == 0 }
    }
}
