import Foundation
public import Glibc
import Measurement
import SimulatedEnvoy

/// One run of a crowd against a server: connect, change after change, report.
public final class LoadSession {
    /// The Envoys.
    public let crowd: Crowd
    private let options: CrowdOptions
    private let trigger: (any Trigger)?
    private let serverProcess: pid_t?
    private let metrics: MetricsReader?
    private let limit: Duration
    private var result = LoadReport()
    private var nextRound = 0
    private var received: [Double] = []
    private var acknowledged: [Double] = []

    /// Prepares a run.
    /// - Parameters:
    ///   - serverProcess: whose CPU time and memory is measured.
    ///   - limit: how long connecting, and each round, may take.
    public init(
        crowd options: CrowdOptions, trigger: (any Trigger)?, serverProcess: pid_t?, metricsURL: String? = nil, limit: Duration
    ) throws {
        self.options = options
        self.trigger = trigger
        self.serverProcess = serverProcess
        self.limit = limit
        metrics = try metricsURL.map { try MetricsReader(url: $0) }
        crowd = try Crowd(options)
        result.streams = options.nodeIDs.count
        result.form = options.form.rawValue
    }

    /// Connects everyone and waits until all are complete.
    public func connect() async throws {
        let before = try figures()
        crowd.connect()
        result.rampSeconds = try await crowd.awaitComplete(within: limit)
        let after = try figures()
        guard let before, let after else { return }
        result.rampServerCPUSeconds = after.cpuSeconds - before.cpuSeconds
        result.serverResidentBytesBefore = before.residentBytes
        result.serverResidentBytes = after.residentBytes
        result.residentBytesPerStream = (after.residentBytes - before.residentBytes) / max(1, options.nodeIDs.count)
    }

    /// Makes `rounds` changes, after `warmUp` that are not measured.
    public func run(rounds: Int, warmUp: Int) async throws {
        guard trigger != nil, rounds > 0 else { return }
        for _ in 0..<warmUp { _ = try await change() }
        let (server, own, state) = (try figures(), try ProcessFigures.own(), crowd.state)
        let counters = try metrics?.read()
        for _ in 0..<rounds {
            let round = try await change()
            received += round.received
            acknowledged += round.acknowledged
            result.lastReceived.append(round.received.max() ?? 0)
            result.lastAcknowledged.append(round.acknowledged.max() ?? 0)
        }
        let responses = crowd.state.responses - state.responses
        result.rounds += rounds
        result.responses += responses
        result.responseBytes += crowd.state.responseBytes - state.responseBytes
        result.loadCPUSeconds = try ProcessFigures.own().cpuSeconds - own.cpuSeconds
        if let server, let after = try figures() {
            result.serverCPUSeconds = after.cpuSeconds - server.cpuSeconds
            result.serverCPUMicrosecondsPerPush = result.serverCPUSeconds / Double(max(1, responses)) * 1e6
            result.serverResidentBytes = after.residentBytes
            result.serverDescriptors = after.descriptors
        }
        if let metrics, let counters { result.serverCounters = try metrics.changes(since: counters) }
    }

    /// Looks on.
    public func hold(seconds: Double) async throws {
        guard seconds > 0 else { return }
        try await Task.sleep(for: .seconds(seconds))
        if let after = try figures() { result.serverResidentBytes = after.residentBytes }
    }

    /// What was measured.
    public func report() -> LoadReport {
        var report = result
        let state = crowd.state
        report.receivedMilliseconds = Distribution(received)
        report.acknowledgedMilliseconds = Distribution(acknowledged)
        report.lostConnections = state.lost
        report.lastLoss = state.lastLoss
        report.rejections = state.rejected
        return report
    }

    private func change() async throws -> RoundResult {
        guard let trigger else { return RoundResult(received: [], acknowledged: []) }
        nextRound += 1
        crowd.beginRound(marker: trigger.marker(nextRound), startedAt: .now)
        try await trigger.fire(nextRound)
        return try await crowd.finishRound(within: limit)
    }

    private func figures() throws -> ProcessFigures? { try serverProcess.map { try ProcessFigures(of: $0) } }
}
