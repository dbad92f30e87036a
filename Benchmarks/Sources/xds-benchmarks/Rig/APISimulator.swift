import Foundation
import Load

/// A running API server simulator and a client of it.
struct APISimulator {
    let program: Program
    let kubeconfig: String
    private let client: HTTPClient

    static func start(_ rig: Rig) async throws -> APISimulator {
        let kubeconfig = rig.directory.appending(path: "kubeconfig-\(UUID().uuidString.prefix(8))").path
        let port = try freePorts(1)[0]
        let program = try Program(
            rig.simulatorPath,
            ["--bind-address", "127.0.0.1:\(port)", "--kubeconfig-out", kubeconfig, "--crd", rig.definitionsPath],
            in: rig.directory)
        let client = HTTPClient(try ServerAddress("127.0.0.1:\(port)"))
        let deadline = ContinuousClock.now + .seconds(30)
        while (try? client.request("GET", "/readyz")) == nil {
            guard ContinuousClock.now < deadline else {
                throw LoadError.timedOut("the API server simulator: \(program.output.suffix(500))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return APISimulator(program: program, kubeconfig: kubeconfig, client: client)
    }

    func create(_ call: Call) throws {
        for object in call.objects { try client.request("POST", Self.services, headers: [Self.json], body: object) }
    }

    func delete(_ call: Call) throws {
        for name in call.names { try client.request("DELETE", "\(Self.services)/\(name)") }
    }

    func createPod(_ name: String, _ labels: [String: String], address: String) throws {
        let labels = labels.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        let pod = """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"\(name)","namespace":"default","labels":{\(labels)}},\
            "spec":{"containers":[{"name":"main","image":"main"}]}}
            """
        try client.request("POST", Self.pods, headers: [Self.json], body: pod)
        let status = """
            {"status":{"phase":"Running","podIP":"\(address)","podIPs":[{"ip":"\(address)"}],\
            "conditions":[{"type":"Ready","status":"True"}]}}
            """
        try client.request(
            "PATCH", "\(Self.pods)/\(name)/status", headers: ["Content-Type: application/merge-patch+json"], body: status)
    }

    private static let json = "Content-Type: application/json"
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let services = "/apis/servicemesh.l7mp.io/v1/namespaces/default/virtualservices"
}
