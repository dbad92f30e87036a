public import Domain

extension Translator {
    /// What of a valid object is served in another way than its author may expect.
    public static func diagnostics(for service: VirtualService) -> [Diagnostic] {
        service.listeners.enumerated().flatMap { index, listener in
            let field = "spec.listeners[\(index)].\(listener.transport.rawValue)"
            guard let cluster = listener.cluster else {
                return [
                    Diagnostic(.warning, field: field, message: "the listener has no cluster and is not served; add one")
                ]
            }
            return diagnostics(for: cluster, transport: listener.transport, field: "\(field).cluster")
        }
    }

    private static func diagnostics(for cluster: ClusterIntent, transport: TransportProtocol, field: String) -> [Diagnostic] {
        var result: [Diagnostic] = []
        if transport == .tcp, cluster.hashKey != nil {
            result.append(
                Diagnostic(
                    .warning, field: "\(field).hash_key",
                    message: "has no effect: TCP connections are spread by the source address; remove it"))
        }
        if let check = cluster.healthCheck, check.interval < shortestReliableInterval {
            result.append(
                Diagnostic(
                    .warning, field: "\(field).health_check.interval",
                    message: "a check that takes longer than the interval fails, and under load many do below 100 ms; raise it"))
        }
        for (index, endpoint) in cluster.endpoints.enumerated() {
            let field = "\(field).endpoints[\(index)]"
            if case .name(let name) = endpoint.host {
                if cluster.hasSelector {
                    result.append(
                        Diagnostic(
                            .warning, field: "\(field).host.address",
                            message: "\(name) is a DNS name in a cluster with pods: each pod that comes or goes re-creates all "
                                + "sessions of the cluster; give the name a cluster of its own"))
                } else if cluster.serviceDiscovery == .eds {
                    result.append(
                        Diagnostic(
                            .warning, field: "\(field).host.address",
                            message: "\(name) is a DNS name, which eds can't carry: the cluster is served as strictdns"))
                }
            }
            if endpoint.healthCheckPort != nil, cluster.healthCheck == nil {
                result.append(
                    Diagnostic(
                        .warning, field: "\(field).health_check_port",
                        message: "has no effect without health_check in the cluster; add that or remove this"))
            }
        }
        return result
    }

    private static var shortestReliableInterval: Duration { .milliseconds(100) }
}
