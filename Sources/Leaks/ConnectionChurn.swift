import TestKit

/// Clients that connect and leave by the thousand.
public enum ConnectionChurn {
    /// Lets `count` clients pass, after a quarter of them as a warm-up, and returns what the operator held before and after.
    public static func play(_ count: Int, speaksTLS: Bool) async throws -> (before: Figures, after: Figures) {
        let certificates = try TemporaryDirectory(named: "certificates")
        var arguments: [String] = []
        if speaksTLS {
            let (end, output) = try await ChildProcess.run(
                [try Programs.xdsOperator(), "certificates", "init", certificates.path(of: "made")])
            guard end == .exited(0) else {
                throw CertificatesMissing(description: "xds-operator certificates init \(end): \(output)")
            }
            arguments += [
                "--xds-tls-cert", certificates.path(of: "made/server/tls.crt"), "--xds-tls-key",
                certificates.path(of: "made/server/tls.key"),
            ]
        }
        let result = Observed<(Figures, Figures)?>(nil)
        try await Stage.play(arguments: arguments) { stage in
            try stage.apply(try stage.call("one"))
            let pods = (0..<10).map { PodManifest("client-\($0)", labels: ["app": "envoy-ingress"], address: "127.0.0.1") }
            for pod in pods { try stage.apply(pod) }
            try await eventually("the objects", within: .seconds(20)) { () -> Look<Void> in
                let gauges = try await Figures.gauges(of: stage.xdsOperator)
                return gauges["nodes"] == pods.count + 1 ? .met(()) : .unmet("\(gauges)")
            }
            func pass(_ numbers: Range<Int>) async throws -> Figures {
                let (address, names) = (stage.xdsOperator.xds, pods.map { "default/\($0.name)" })
                try await letPass(numbers, threads: 4) {
                    PassingClient($0, address: address, node: names[$0 / 14 % names.count], speaksTLS: speaksTLS)
                }
                return try await Figures.of(stage.xdsOperator, streams: 0)
            }
            let before = try await pass(0..<count / 4)
            let after = try await pass(0..<count)
            result.update { $0 = (before, after) }
        }
        guard let result = result.value else { throw CancellationError() }
        return result
    }
}

/// There are no certificates for the server.
struct CertificatesMissing: Error, CustomStringConvertible {
    let description: String
}
