/// A running `xds-operator serve`.
public final class OperatorProcess: Sendable {
    /// The process.
    public let child: ChildProcess
    /// Where Envoys connect.
    public let xds: SocketAddress
    /// Where metrics are served.
    public let metrics: SocketAddress
    /// Where `/healthz` and `/readyz` are served.
    public let probes: SocketAddress
    /// Where `/debug` is served.
    public let debug: SocketAddress

    private init(
        child: ChildProcess, xds: SocketAddress, metrics: SocketAddress, probes: SocketAddress, debug: SocketAddress
    ) {
        self.child = child
        self.xds = xds
        self.metrics = metrics
        self.probes = probes
        self.debug = debug
    }

    /// Starts the operator on a directory of manifests and waits until it has bound its ports.
    ///
    /// - Parameters:
    ///   - xdsPort: the port for Envoys on 127.0.0.1; 0 picks a free one.
    ///   - arguments: further arguments of `serve`.
    public static func start(
        manifests: String, xdsPort: UInt16 = 0, arguments: [String] = []
    ) async throws -> OperatorProcess {
        try await start(source: ["--manifests", manifests], xdsPort: xdsPort, arguments: arguments)
    }

    /// Starts the operator on the objects that the options `source` name, and waits until it has bound its ports.
    public static func start(
        source: [String], xdsPort: UInt16 = 0, arguments: [String] = [], placement: Placement = Placement()
    ) async throws -> OperatorProcess {
        let host = placement.host
        let child = try await ChildProcess.start(
            name: "xds-operator",
            placement.wrapper + [
                try Programs.xdsOperator(), "serve", "--xds-bind-address", "\(host):\(xdsPort)",
                "--metrics-bind-address", "\(host):0", "--health-probe-bind-address", "\(host):0", "--debug-bind-address",
                "\(host):0", "--log-level", "info",
            ] + source + arguments, environment: placement.environment)
        do {
            return OperatorProcess(
                child: child,
                xds: try await child.line("the address of the xDS server") { address(in: $0, after: "xDS server listening") },
                metrics: try await child.line("the address of the metrics") { address(in: $0, after: "metrics listening") },
                probes: try await child.line("the address of the probes") { address(in: $0, after: "probes listening") },
                debug: try await child.line("the address of the debug pages") { address(in: $0, after: "debug listening") })
        } catch let error as TimedOut {
            throw ProcessFailure(error, [child])
        }
    }

    /// Waits until `/readyz` answers 200: every object was read once.
    public func awaitReady(within limit: Duration = .seconds(20)) async throws {
        do {
            try await eventually("xds-operator to be ready", within: limit) { () -> Look<Void> in
                let answer = try await httpGet("/readyz", from: probes)
                return answer.status == 200 ? .met(()) : .unmet("\(answer.status) \(answer.body)")
            }
        } catch {
            throw ProcessFailure(error, [child])
        }
    }

    /// What `xds-operator bootstrap` prints for an Envoy of this operator; its admin interface picks a free port.
    public func bootstrap(node: String?, xds address: SocketAddress? = nil, api: String = "delta") async throws -> String {
        try await Self.bootstrap(xds: address ?? xds, node: node, api: api)
    }

    /// What `xds-operator bootstrap` prints; the admin interface picks a free port.
    public static func bootstrap(xds: SocketAddress, node: String?, api: String = "delta") async throws -> String {
        let command =
            [try Programs.xdsOperator(), "bootstrap", "--xds-address", "\(xds)", "--admin-port", "0", "--api", api]
            + (node.map { ["--node-id", $0] } ?? [])
        let (end, output) = try await ChildProcess.run(command)
        guard end == .exited(0) else {
            throw Programs.NotFound(description: "xds-operator bootstrap \(end): \(output)")
        }
        return output
    }

    /// The address that a log line with `words` names as `address`, in text or JSON form.
    static func address(in line: String, after words: String) -> SocketAddress? {
        guard line.contains(words) else { return nil }
        let text = line.replacing("\"", with: "")
        guard let match = text.firstMatch(of: /address[=:] ?(\d+\.\d+\.\d+\.\d+:\d+)/) else { return nil }
        return SocketAddress(match.1)
    }
}

extension OperatorProcess {
    /// A metric of the operator's, without its prefix: the sum over all labels. 0 where it has none.
    public func metric(_ name: String) async throws -> Int {
        Self.sum(of: name, in: try await httpGet("/metrics", from: metrics).body)
    }

    /// The same, of a text of metrics.
    public static func sum(of name: String, in metrics: String) -> Int {
        metrics.split(separator: "\n").reduce(0) { sum, line in
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].split(separator: "{").first == "xds_operator_\(name)" else { return sum }
            return sum + (Int(words[1]) ?? 0)
        }
    }
}
