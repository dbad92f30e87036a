import Foundation
import Load

/// A running `xds-operator serve`, and where it is reached.
struct Operator {
    let program: Program
    let xds: UInt16
    let metrics: UInt16
    private let probes: UInt16

    /// Starts it on what the options `source` name, and waits until it has read everything.
    static func start(_ rig: Rig, source: [String], xdsPort: UInt16? = nil) async throws -> Operator {
        let ports = try freePorts(3)
        let xds = xdsPort ?? ports[0]
        let program = try Program(
            rig.operatorPath,
            [
                "serve", "--xds-bind-address", "127.0.0.1:\(xds)", "--metrics-bind-address", "127.0.0.1:\(ports[1])",
                "--health-probe-bind-address", "127.0.0.1:\(ports[2])", "--log-level", "warning",
            ] + source, in: rig.directory)
        let server = Operator(program: program, xds: xds, metrics: ports[1], probes: ports[2])
        try await server.awaitReady(within: .seconds(180))
        return server
    }

    var address: ServerAddress { get throws { try ServerAddress("127.0.0.1:\(xds)") } }
    var metricsURL: String { "http://127.0.0.1:\(metrics)/metrics" }

    private func awaitReady(within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let client = HTTPClient(try ServerAddress("127.0.0.1:\(probes)"))
            if (try? client.request("GET", "/readyz")) != nil { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw LoadError.timedOut("the operator to be ready: \(program.output.suffix(1000))")
    }
}
