/// The two objects of a call: four listeners on the ingress Envoys, and four on the workers.
struct Call {
    /// Calls whose numbers differ by a multiple of this have the same ports.
    static let period = 16_000

    let number: Int

    init(_ number: Int) { self.number = number }

    private var firstPort: Int { 1024 + number % Self.period * 4 }

    /// The manifests.
    var yaml: String { service("ingress") + service("worker") }

    private func service(_ app: String) -> String {
        Manifest.service(
            "\(app)-call\(number)", selector: app, prefix: "\(app)-call\(number)", firstPort: firstPort,
            groups: Array(repeating: "media", count: 4))
    }

    /// The names of the objects.
    var names: [String] { ["ingress-call\(number)", "worker-call\(number)"] }

    /// The objects for an API server.
    var objects: [String] { ["ingress", "worker"].map(object) }

    private func object(_ app: String) -> String {
        let listeners = (0..<4).map { index in
            """
            {"name":"l-\(app)-call\(number)-\(index)","udp":{"port":\(firstPort + index),"cluster":{\
            "name":"c-\(app)-call\(number)-\(index)","service_discovery":"eds","hash_key":"call\(number)",\
            "endpoints":[{"name":"e-\(index)","host":{"selector":{"group":"media"}},"port":30000}]}}}
            """
        }
        return """
            {"apiVersion":"servicemesh.l7mp.io/v1","kind":"VirtualService","metadata":{"name":"\(app)-call\(number)",\
            "namespace":"default"},"spec":{"selector":{"app":"\(app)"},"listeners":[\(listeners.joined(separator: ","))]}}
            """
    }
}
