import Foundation

/// The API server of a large cluster.
final class Cluster {
    private let process: Program
    /// `HOST:PORT`.
    let address: String
    let kubeconfig: String
    private(set) var podSize = 0
    private var podCount = 0

    init(program: String, directory: String) throws {
        kubeconfig = "\(directory)/kubeconfig"
        let definition = "\(directory)/definition.yaml"
        try Objects.definition.write(toFile: definition, atomically: true, encoding: .utf8)
        process = try Program(
            [program, "--kubeconfig-out", kubeconfig, "--crd", definition], output: "\(directory)/simulator.log")
        address = try process.word(after: "listening on http://")
    }

    func fill(pods: Int, services: Int, workers: Int) throws {
        podCount = pods
        podSize = Objects.pod(0, app: "shop", version: 0).utf8.count
        try put(pods) { index in
            let app = index < workers ? "worker" : index < workers + 2 ? "envoy-ingress" : index == workers + 2 ? "lone" : "shop"
            return Objects.pod(index, app: app, version: 0)
        }
        try put(services / 2 * 2) { Objects.virtualService($0) }
        try put(1) { _ in Objects.loneService }
    }

    /// Changes pods that nothing selects, so many times in all.
    func updatePods(_ count: Int, version: Int) throws {
        // The last thousands are ordinary pods.
        let ordinary = max(1, podCount - 1000)
        try put(count) { Objects.pod(1000 + $0 % ordinary, app: "shop", version: version + $0) }
    }

    private func put(_ count: Int, _ object: (Int) -> String) throws {
        var start = 0
        while start < count {
            let end = min(count, start + 1000)
            let body = "{\"items\":[\((start..<end).map(object).joined(separator: ","))]}"
            try HTTP.post(address, "/simulator/objects", body)
            start = end
        }
    }

    /// How long a client takes that only reads what the operator asks for, in the same form; in seconds.
    func timeToRead() throws -> Double {
        let start = Date()
        let threads = ["/api/v1/pods", "/apis/servicemesh.l7mp.io/v1/virtualservices"].map { path in
            Thread { [address] in
                let accept = path.hasPrefix("/api/") ? "application/vnd.kubernetes.protobuf" : "application/json"
                _ = try? HTTP.get(address, path, accept: accept)
            }
        }
        for thread in threads { thread.start() }
        for thread in threads { while !thread.isFinished { usleep(1000) } }
        return Date().timeIntervalSince(start)
    }
}
