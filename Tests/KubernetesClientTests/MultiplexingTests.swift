import Domain
import Glibc
import KubeAPISimulator
import Kubernetes
import KubernetesClient
import Logging
import TestKit
import Testing

/// Requirement 10 over HTTP/2, as kube-apiserver speaks it: an Envoy between client and API simulator terminates TLS and multiplexes.
///
/// The libcurl of Debian 12 sends no HTTP/2 PING: the watchdog, TCP keepalive and the limit for unacknowledged data stand in.
@Suite(.serialized, .timeLimit(.minutes(3))) struct MultiplexingTests {
    @Test func `lists, watches and other requests share one connection`() async throws {
        try await Scene.play { scene in
            try await scene.request(20)
            try scene.create("later", in: "calls")
            try await scene.awaitEverything()
            #expect(try await scene.front.admin.statistic("http.front.downstream_cx_http2_total") == 1)
            #expect(try await scene.front.admin.statistic("http.front.downstream_rq_http2_total") >= 24)
            #expect(scene.metrics.watchStarts == 2)
        }
    }

    @Test func `10 a graceful GOAWAY in the middle of watches loses nothing, and what follows takes another connection`()
        async throws
    {
        // The lists and watches of both namespaces are four.
        try await Scene.play(requestsPerConnection: 8) { scene in
            for round in 0..<5 {
                try await scene.request(8)
                try scene.create("round-\(round)", in: "calls")
                try await scene.awaitEverything()
            }
            #expect(try await scene.front.admin.statistic("http.front.downstream_cx_http2_total") >= 5)
            #expect(scene.metrics.relists == 0)
        }
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `10 a front that ends breaks the watches, which resume from their version`(signal: CInt) async throws {
        try await Scene.play { scene in
            try await scene.endFront(by: signal)
            try scene.create("meanwhile", in: "default")
            try scene.api.delete("Pod", "first", namespace: "calls", gracePeriodSeconds: 0)
            _ = try await scene.startFront()
            try await scene.awaitEverything()
            #expect(scene.metrics.relists == 0)
            #expect(scene.metrics.errors(.transport) > 0)
        }
    }

    @Test func `10 a front that falls silent is noticed by the watchdog`() async throws {
        try await Scene.play(timeout: .seconds(2)) { scene in
            try await scene.silenceFront()
            try await scene.endFront(by: SIGKILL)
            _ = try await scene.startFront()
            try await scene.awaitEverything()
            #expect(scene.metrics.relists == 0)
        }
    }

    @Test func `10 a connection that was silent is used no more, though it speaks again`() async throws {
        try await Scene.play(timeout: .seconds(2)) { scene in
            try await scene.silenceFront()
            scene.front.child.signal(SIGCONT)
            try await scene.awaitEverything()
            try await scene.front.wait("the old connection to be closed") { admin in
                let made = try await admin.statistic("http.front.downstream_cx_http2_total")
                let left = try await admin.statistic("http.front.downstream_cx_http2_active")
                return made >= 2 && left < made ? .met(()) : .unmet("\(left) of \(made) connections are left")
            }
            #expect(scene.metrics.relists == 0)
        }
    }
}

/// Pods of two namespaces, followed by one client through a front that speaks HTTP/2 alone.
private final class Scene: Sendable {
    let api: KubeAPISimulator
    let metrics = WatchMetrics(resource: "pods")
    private let store = Observed(ObjectStore<Pod>())
    private let client: CurlAPIClient
    private let configuration: String
    /// Keeps the front's port ours.
    private let ground: LoopbackReservation
    /// Keeps the certificates' files.
    private let workshop: CertificateWorkshop
    private let fronts: Observed<[EnvoyProcess]>

    /// Runs `story` while a source follows both namespaces, which both have a pod.
    ///
    /// - Parameters:
    ///   - requestsPerConnection: after so many the front says GOAWAY; nil for never.
    ///   - timeout: how long watches are asked for at least.
    static func play(
        requestsPerConnection: Int? = nil, timeout: Duration = .seconds(60),
        _ story: (Scene) async throws -> Void
    ) async throws {
        let scene = try await Scene(requestsPerConnection)
        var configuration = WatchStateMachine.Configuration()
        configuration.prefersStreamingList = false
        configuration.shortestTimeout = timeout
        configuration.watchdogSlack = .seconds(1)
        configuration.backoff.first = .milliseconds(20)
        configuration.backoff.longest = .seconds(1)
        let source = KubernetesSource(
            kind: .pods, namespaces: ["default", "calls"], client: scene.client, receiver: Receiver(store: scene.store),
            verdicts: nil, metrics: scene.metrics, configuration: configuration, time: SystemWatchTime(), logger: scene.logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await source.run() }
            defer { group.cancelAll() }
            try await scene.awaitEverything()
            _ = try await scene.api.requests.wait(for: "both watches", within: .seconds(30)) {
                $0.openWatches["pods"] == 2 ? true : nil
            }
            try await story(scene)
        }
    }

    private init(_ requestsPerConnection: Int?) async throws {
        api = try KubeAPISimulator()
        workshop = try await CertificateWorkshop()
        let (certificate, key) = try await workshop.issue("front", hosts: ["IP:127.0.0.1"])
        ground = try LoopbackReservation()
        let port = try ground.port()
        let upstream = try #require(api.address.split(separator: ":").last)
        let options = requestsPerConnection.map { "common_http_protocol_options: {max_requests_per_connection: \($0)}," } ?? ""
        let types = "type.googleapis.com/envoy.extensions"
        configuration = """
            admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
            static_resources:
              listeners:
              - name: front
                address: {socket_address: {address: 127.0.0.1, port_value: \(port)}}
                filter_chains:
                - transport_socket:
                    name: tls
                    typed_config:
                      "@type": \(types).transport_sockets.tls.v3.DownstreamTlsContext
                      common_tls_context:
                        alpn_protocols: [h2]
                        tls_certificates: [{certificate_chain: {filename: "\(certificate)"}, private_key: {filename: "\(key)"}}]
                  filters:
                  - name: http
                    typed_config: {
                      "@type": \(types).filters.network.http_connection_manager.v3.HttpConnectionManager,
                      stat_prefix: front, codec_type: HTTP2, drain_timeout: 0.1s, stream_idle_timeout: 0s, \(options)
                      route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [
                        {match: {prefix: /}, route: {cluster: api, timeout: 0s}}]}]},
                      http_filters: [{name: router, typed_config: {"@type": \(types).filters.http.router.v3.Router}}]}
              clusters:
              - name: api
                connect_timeout: 5s
                load_assignment: {cluster_name: api, endpoints: [{lb_endpoints: [{endpoint: {
                  address: {socket_address: {address: 127.0.0.1, port_value: \(upstream)}}}}]}]}
            """
        var limits = CurlAPIClient.Configuration()
        limits.connectTimeout = .seconds(1)
        var cluster = ClusterConfiguration(server: ServerURL(host: "127.0.0.1", port: port))
        cluster.authority = .file(workshop.authority)
        client = CurlAPIClient(
            cluster: cluster, loop: try CurlLoop(), configuration: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        fronts = Observed([])
        for namespace in ["default", "calls"] {
            if namespace != "default" {
                try api.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]])
            }
            try create("first", in: namespace)
        }
        // The authority is read when the client first connects.
        _ = try await startFront()
        _ = try await client.send(APIRequest(.get, "/healthz"))
        api.resetRequests()
    }

    private var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// The front that runs, or ran last.
    var front: EnvoyProcess { fronts.value[fronts.value.count - 1] }

    func startFront() async throws -> EnvoyProcess {
        let front = try await EnvoyProcess.start(name: "front", configuration: configuration)
        try await front.awaitReady()
        fronts.update { $0.append(front) }
        return front
    }

    func endFront(by signal: CInt) async throws {
        front.child.signal(signal)
        _ = try await front.child.awaitEnd(within: .seconds(10))
    }

    /// Stops the front, and waits until both watches have been given up.
    func silenceFront() async throws {
        front.child.signal(SIGSTOP)
        try create("meanwhile", in: "default")
        let metrics = metrics
        // Watchdogs bark after 3 to 5 s; connecting anew fails once a second, which also counts: one watch alone can't have six by then.
        try await eventually("both watchdogs to bark", within: .seconds(30)) { () -> Look<Void> in
            let count = metrics.errors(.deadline)
            return count >= 6 ? .met(()) : .unmet("\(count)")
        }
    }

    func create(_ name: String, in namespace: String) throws {
        try api.create([
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "spec": ["containers": [["name": "worker", "image": "worker:1"]]],
        ])
    }

    /// Sends so many requests at once.
    func request(_ count: Int) async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask { try await self.client.send(APIRequest(.get, "/api/v1/namespaces/default/pods")).status }
            }
            for try await status in group { #expect(status == 200) }
        }
    }

    /// Waits until what was told is what there is.
    func awaitEverything() async throws {
        let api = api
        _ = try await store.wait(for: "what the server has", within: .seconds(40)) { store in
            func uids(_ namespace: String) -> Set<String> {
                Set(api.list("Pod", namespace: namespace).compactMap { $0["metadata", "uid"]?.text })
            }
            let told = Set(store.objects.values.map(\.metadata.uid))
            return store.hasSynced && told == uids("default").union(uids("calls")) ? true : nil
        }
    }

    private struct Receiver: WatchEventReceiver {
        let store: Observed<Kubernetes.ObjectStore<Pod>>

        func receive(_ event: WatchEvent<Pod>) async { store.update { $0.apply(event) } }
    }
}
