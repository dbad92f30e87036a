/// The VirtualService that a signalling program makes for one call on the ingress Envoys.
public struct CallManifest: Sendable {
    /// Where the cluster of a stream finds its hosts.
    public enum Host: Sendable {
        /// Pods with these labels.
        case selector([String: String])
        /// An address or a DNS name.
        case address(String)
    }

    /// One listener and its cluster.
    public struct Stream: Sendable {
        /// The port on which the Envoys listen.
        public var port: UInt16
        /// The port of the workers.
        public var workerPort: UInt16

        /// Makes a stream from `port` to `workerPort`.
        public init(port: UInt16, workerPort: UInt16) {
            self.port = port
            self.workerPort = workerPort
        }
    }

    /// The call's id: part of every name, and the hash key.
    public var id: String
    /// The object's namespace.
    public var namespace = "default"
    /// The labels of the pods whose Envoys serve the call.
    public var selector = ["app": "envoy-ingress"]
    /// The listeners.
    public var streams: [Stream]
    /// Where datagrams go.
    public var host: Host = .selector(["app": "worker"])
    /// `eds` or `strictdns`.
    public var serviceDiscovery = "eds"
    /// The hash key; nil leaves it out.
    public var hashKey: String?
    /// The TCP port of health checks; nil leaves them out.
    public var healthCheckPort: UInt16?
    /// The milliseconds between two health checks.
    public var healthCheckInterval = 100
    /// The milliseconds of silence after which a session ends; nil leaves it out.
    public var idleTimeout: Int?
    /// `udp` or `tcp`.
    public var transport = "udp"
    /// Annotations of the object.
    public var annotations: [String: String] = [:]
    /// The largest datagram, in bytes; nil leaves it out.
    public var maximumDatagramSize: Int?

    /// Makes a call whose hash key is its id.
    public init(id: String, streams: [Stream], healthCheckPort: UInt16? = nil) {
        self.id = id
        self.streams = streams
        self.healthCheckPort = healthCheckPort
        hashKey = id
    }

    /// The object's name.
    public var name: String { "ingress-\(id)" }

    /// The name of the listener of stream `index`.
    public func listener(_ index: Int) -> String { "ingress-l-\(id)-\(index)" }

    /// The name of the cluster of stream `index`.
    public func cluster(_ index: Int) -> String { "ingress-c-\(id)-\(index)" }

    /// The document.
    public var yaml: String {
        let head = """
            apiVersion: servicemesh.l7mp.io/v1
            kind: VirtualService
            metadata:
              name: \(name)
              namespace: \(namespace)
              annotations: \(flow(annotations))
            spec:
              selector: \(flow(selector))
              listeners:

            """
        return head + streams.indices.map(listenerDocument).joined()
    }

    private func listenerDocument(_ index: Int) -> String {
        let stream = streams[index]
        let key = hashKey.map { "          hash_key: \($0)\n" } ?? ""
        let check = healthCheckPort == nil ? "" : "          health_check: {interval: \(healthCheckInterval), protocol: TCP}\n"
        let checkPort = healthCheckPort.map { "              health_check_port: \($0)\n" } ?? ""
        let size = maximumDatagramSize.map { "        max_datagram_size: \($0)\n" } ?? ""
        let idle = idleTimeout.map { "        idle_timeout: \($0)\n" } ?? ""
        let host =
            switch host {
            case .selector(let labels): "selector: \(flow(labels))"
            case .address(let address): "address: \(address)"
            }
        return """
                - name: \(listener(index))
                  \(transport):
                    port: \(stream.port)
            \(size)\(idle)        cluster:
                      name: \(cluster(index))
                      service_discovery: \(serviceDiscovery)
            \(key)\(check)          endpoints:
                        - name: endpoint-\(id)-\(index)
                          host:
                            \(host)
                          port: \(stream.workerPort)
            \(checkPort)
            """
    }

    private func flow(_ labels: [String: String]) -> String {
        "{\(labels.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    }
}
