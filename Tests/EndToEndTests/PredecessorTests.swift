import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// What was written for this operator's predecessor works unchanged: its bootstrap, its port, its objects.
    @Suite struct PredecessorTests {
        /// A port of the predecessor's text, or another one where that is taken.
        private struct Ports {
            let ground: LoopbackReservation
            private var actual: [Substring: UInt16] = [:]

            init() throws { ground = try LoopbackReservation() }

            mutating func take(_ literal: UInt16) throws -> UInt16 {
                let address = SocketAddress("0.0.0.0", literal)
                let isFree = (try? Descriptor.udp(boundTo: address)) != nil && (try? Descriptor.tcp(listeningOn: address)) != nil
                let port = isFree ? literal : try ground.port()
                actual["\(literal)"] = port
                return port
            }

            func apply(to text: String) -> String {
                text.replacing(#/\b\d+\b/#) { match in actual[match.output].map { "\($0)" } ?? String(match.output) }
            }
        }

        @Test func `its bootstrap and its example objects work unchanged`() async throws {
            var ports = try Ports()
            let xds = try ports.take(18_000)
            let (ingress, sidecar, media, health) = try (ports.take(2000), ports.take(2001), ports.take(1234), ports.take(1233))
            let address = ports.ground.address(1)
            let application = try await Worker.started(name: "application", host: "127.0.0.1", ports: [media], healthPort: media)
            let checked = try await Worker.started(name: "checked", host: address, ports: [], healthPort: health)

            let manifests = try ManifestDirectory()
            try manifests.write("seed.yaml", ports.apply(to: Self.objects))
            let pods = [
                PodManifest("envoy-ingress-0", labels: ["app": "envoy-ingress"], address: ports.ground.address(2)),
                PodManifest("worker-0", labels: ["app": "worker"], address: address),
            ]
            for pod in pods { try manifests.write("pod-\(pod.name).yaml", pod.yaml) }
            let xdsOperator = try await OperatorProcess.start(manifests: manifests.path, xdsPort: xds)
            try await xdsOperator.awaitReady()
            var envoys: [EnvoyProcess] = []
            do {
                for pod in pods {
                    let bootstrap = ports.apply(to: Self.bootstrap).replacing("POD_UID", with: pod.uid)
                    let envoy = try await EnvoyProcess.start(name: pod.name, configuration: bootstrap)
                    envoys.append(envoy)
                    try await envoy.awaitReady()
                }
                try await envoys[0].awaitListeners(["ingress-rtp-callid1-l"])
                try await envoys[1].awaitListeners(["worker-rtp-callid1-l"])
                try await envoys[0].awaitHosts(of: "ingress-rtp-callid1-c", are: [SocketAddress(address, sidecar)])
                let caller = try Caller(name: "caller", ports: [ingress])
                #expect(try await caller.freshAnswers() == ["application"])
                #expect(await caller.stop().count == 1)

                // Clusters of `strictdns` carry the pods' addresses: nobody asks for endpoints.
                let metrics = try await httpGet("/metrics", from: xdsOperator.metrics).body
                #expect(streams(metrics, "cluster") == "2" && streams(metrics, "listener") == "2", "\(metrics)")
                #expect(streams(metrics, "endpoint") ?? "0" == "0")
                for envoy in envoys {
                    #expect(try await envoy.admin.statistic("listener_manager.lds.update_rejected") == 0)
                    #expect(try await envoy.admin.statistic("cluster_manager.cds.update_rejected") == 0)
                }
            } catch {
                throw ProcessFailure(error, [xdsOperator.child] + envoys.map(\.child))
            }
            await application.stop()
            await checked.stop()
        }

        /// How many delta streams of a service are open, by the metrics.
        private func streams(_ metrics: String, _ service: String) -> String? {
            let name = "xds_operator_streams{form=\"delta\",service=\"\(service)\"} "
            return metrics.split(separator: "\n").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
        }

        private static let bootstrap = """
            node:
              id: POD_UID
              cluster: envoy
            admin:
              address: {socket_address: {address: 127.0.0.1, port_value: 0}}
            dynamic_resources:
              cds_config:
                resource_api_version: V3
                api_config_source:
                  api_type: DELTA_GRPC
                  transport_api_version: V3
                  grpc_services:
                    - envoy_grpc:
                        cluster_name: xds_cluster
              lds_config:
                resource_api_version: V3
                api_config_source:
                  api_type: DELTA_GRPC
                  transport_api_version: V3
                  grpc_services:
                    - envoy_grpc:
                        cluster_name: xds_cluster
            static_resources:
              clusters:
                - name: xds_cluster
                  type: STRICT_DNS
                  connect_timeout: 1s
                  typed_extension_protocol_options:
                    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                      explicit_http_config: {http2_protocol_options: {}}
                  load_assignment:
                    cluster_name: xds_cluster
                    endpoints:
                      - lb_endpoints:
                          - endpoint:
                              address: {socket_address: {address: 127.0.0.1, port_value: 18000}}

            """

        private static let objects = """
            apiVersion: servicemesh.l7mp.io/v1
            kind: VirtualService
            metadata:
              name: virtualservice-sample-ingress
            spec:
              selector:
                app: envoy-ingress
              listeners:
                - name: ingress-rtp-callid1-l
                  udp:
                    port: 2000
                    cluster:
                      name: ingress-rtp-callid1-c
                      service_discovery: strictdns
                      health_check:
                        interval: 500
                        protocol: TCP
                      hash_key: callid
                      endpoints:
                        - name: endpoint-name
                          host:
                            selector:
                              app: worker
                          port: 2001
                          health_check_port: 1233
            ---
            apiVersion: servicemesh.l7mp.io/v1
            kind: VirtualService
            metadata:
              name: virtualservice-sample-worker
            spec:
              selector:
                app: worker
              listeners:
                - name: worker-rtp-callid1-l
                  udp:
                    port: 2001
                    cluster:
                      name: worker-rtp-callid1-c
                      service_discovery: strictdns
                      hash_key: callid
                      endpoints:
                        - name: endpoint-name
                          host:
                            address: 127.0.0.1
                          port: 1234

            """
    }
}
