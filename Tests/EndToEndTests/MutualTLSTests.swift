import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// A real Envoy and mutual TLS: who is served, who is not, and what happens when certificates change.
    @Suite struct MutualTLSTests {
        private func startEnvoy(_ stage: Stage, _ bootstrap: String) async throws -> EnvoyProcess {
            let envoy = try await EnvoyProcess.start(configuration: bootstrap)
            stage.watch(envoy.child)
            return envoy
        }

        @Test(arguments: DiscoveryForm.allCases) func `an Envoy with the certificate of its pod is served`(
            _ form: DiscoveryForm
        ) async throws {
            let store = try await CertificateStore.made()
            switch form {
            case .delta: try await store.issue("envoy", "--uri", "spiffe://cluster.local/ns/default/sa/default")
            case .stateOfTheWorld: try await store.issue("envoy", "--dns", "envoy-ingress-0.default.pod.cluster.local")
            default: try await store.issue("envoy", "--dns", "uid-default-envoy-ingress-0")
            }
            try await Stage.play(workers: 1, arguments: store.serverArguments) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await startEnvoy(
                    stage, store.bootstrap(stage, directory: store.pair("envoy"), form: form))
                try await envoy.awaitListeners(call.listeners)
                let caller = try call.caller()
                #expect(try await caller.freshAnswers() == ["worker-0", "worker-0", "worker-0", "worker-0"])
                let name = form == .separateDelta || form == .separateStateOfTheWorld ? "xds_cluster" : "xds-operator"
                let versions = try await envoy.admin.statistics(containing: "cluster.\(name).ssl.versions")
                #expect(versions.keys.map { $0.suffix(7) } == ["TLSv1.3"], "\(versions)")
            }
        }

        enum Stranger: String, CaseIterable { case wrongAuthority, wrongPod, expired, none, plaintext }

        @Test(arguments: Stranger.allCases) func `anyone else is refused, and others are not disturbed`(
            _ stranger: Stranger
        ) async throws {
            let store = try await CertificateStore.made()
            let other = try await CertificateStore.made()
            try await store.issue("envoy", "--dns", "envoy-ingress-0.default")
            try await store.issue(
                "other", "--uri", "spiffe://cluster.local/ns/default/sa/other", "--dns", "envoy-ingress-1.default")
            try await store.issue("expired", "--dns", "envoy-ingress-0.default", "--days", "-1")
            try await other.issue("envoy", "--dns", "envoy-ingress-0.default")
            try await Stage.play(workers: 1, arguments: store.serverArguments) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let good = try await startEnvoy(stage, store.bootstrap(stage, directory: store.pair("envoy")))
                try await good.awaitListeners(call.listeners)
                let caller = try call.caller()
                _ = try await caller.freshAnswers()

                // The stranger trusts the server in any case: what is tested is that the server does not trust it.
                let strange: EnvoyProcess
                let reason: String
                switch stranger {
                case .wrongAuthority:
                    let text = try await store.bootstrap(stage, directory: store.pair("envoy"))
                    let file = other.pair("certificate.yaml")
                    let certificate = try String(contentsOfFile: "\(store.pair("envoy"))/xds-certificate.yaml", encoding: .utf8)
                    try certificate.replacing(store.path, with: other.path).write(toFile: file, atomically: true, encoding: .utf8)
                    strange = try await startEnvoy(
                        stage, text.replacing("\(store.pair("envoy"))/xds-certificate.yaml", with: file))
                    reason = "unable to get local issuer certificate"
                case .wrongPod:
                    strange = try await startEnvoy(stage, store.bootstrap(stage, directory: store.pair("other")))
                    reason = "reason=other_pod"
                case .expired:
                    strange = try await startEnvoy(stage, store.bootstrap(stage, directory: store.pair("expired")))
                    reason = "certificate has expired"
                case .none:
                    strange = try await startEnvoy(
                        stage, store.bootstrap(stage, directory: store.pair("envoy"), ["--server-tls-only"]))
                    reason = "peer did not return a certificate"
                case .plaintext:
                    strange = try await startEnvoy(stage, stage.xdsOperator.bootstrap(node: stage.ingress.uid))
                    reason = "plaintext arrived where TLS is spoken"
                }
                try await stage.xdsOperator.child.line("the reason", within: .seconds(30)) { $0.contains(reason) ? () : nil }
                try await strange.awaitStatistic("cluster_manager.cds.update_failure") { $0 > 0 }
                #expect(try await strange.admin.statistic("cluster_manager.cds.update_success") == 0)
                #expect(try await strange.admin.listeners().isEmpty)
                let metrics = try await httpGet("/metrics", from: stage.xdsOperator.metrics).body
                let count =
                    stranger == .wrongPod
                    ? #"access_denied_total{reason="other_pod"} "# : #"tls_handshakes_total{result="refused"} "#
                #expect(metrics.contains(count) && !metrics.contains(count + "0\n"), "\(metrics)")

                // The good one follows changes all the while.
                let second = try stage.call("second")
                try stage.apply(second)
                try await good.awaitListeners(call.listeners.union(second.listeners))
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
            }
        }

        @Test func `an Envoy does not follow a server with another name or authority`() async throws {
            let store = try await CertificateStore.made()
            let other = try await CertificateStore.made()
            try await store.issue("envoy", "--dns", "envoy-ingress-0.default")
            try await other.issue("envoy", "--dns", "envoy-ingress-0.default")
            try await Stage.play(arguments: store.serverArguments) { stage in
                for bootstrap in [
                    try await store.bootstrap(
                        stage, directory: store.pair("envoy"), ["--tls-server-name", "xds.example"]),
                    try await other.bootstrap(stage, directory: other.pair("envoy")),
                ] {
                    let envoy = try await startEnvoy(stage, bootstrap)
                    try await envoy.awaitStatistic("cluster_manager.cds.update_failure") { $0 > 0 }
                    #expect(try await envoy.admin.statistic("cluster_manager.cds.update_success") == 0)
                    #expect(try await envoy.admin.statistic("control_plane.connected_state") == 0)
                }
            }
        }

        @Test func `certificates of both sides change, and not a datagram is lost`() async throws {
            let store = try await CertificateStore.made()
            try await store.issue("envoy", "--uri", "spiffe://cluster.local/ns/default/sa/default")
            let arguments = store.serverArguments + ["--xds-max-connection-age", "3"]
            try await Stage.play(workers: 1, arguments: arguments) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await startEnvoy(stage, store.bootstrap(stage, directory: store.pair("envoy")))
                try await envoy.awaitListeners(call.listeners)
                // 200 datagrams a second on each of four streams.
                let caller = try Caller(name: call.id, ports: call.ports, interval: .milliseconds(5))
                _ = try await caller.freshAnswers()

                func awaitAdmission(_ name: String) async throws {
                    try await stage.xdsOperator.child.line("the admission of \(name)", within: .seconds(30)) {
                        $0.contains("client admitted") && $0.contains("identity=\(name)") ? () : nil
                    }
                }
                try await awaitAdmission("spiffe://cluster.local/ns/default/sa/default")
                let before = try await serverCertificate(stage, store)
                try await store.issue("server", "--server", "--dns", "127.0.0.1", "--dns", "second.server")
                try await stage.xdsOperator.child.line("the server's new files", within: .seconds(30)) {
                    $0.contains("new TLS files are in force") ? () : nil
                }
                #expect(try await serverCertificate(stage, store) != before)
                // The client's new certificate has another name, by which it can be told; it comes into force with the next connection.
                try await store.issue("envoy", "--dns", "envoy-ingress-0.default")
                try await awaitAdmission("envoy-ingress-0.default")
                try await store.issue("envoy", "--dns", "uid-default-envoy-ingress-0")
                try await awaitAdmission("uid-default-envoy-ingress-0")

                // Changes arrive as ever.
                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(call.listeners.union(second.listeners))
                try await caller.awaitSent(200)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await envoy.admin.statistic("listener_manager.listener_modified") == 0)
                #expect(try await envoy.admin.statistic("listener_manager.listener_removed") == 0)
            }
        }

        @Test func `the authority of both sides changes, and not a datagram is lost`() async throws {
            let old = try await CertificateStore.made()
            let new = try await CertificateStore.made()
            try await old.issue("envoy", "--uri", "spiffe://cluster.local/ns/default/sa/default")
            try await new.issue("first", "--dns", "envoy-ingress-0.default")
            try await new.issue("second", "--dns", "uid-default-envoy-ingress-0")
            try await old.issue("late", "--dns", "envoy-ingress-0.default")
            let arguments = old.serverArguments + ["--xds-max-connection-age", "3"]
            try await Stage.play(workers: 1, arguments: arguments) { stage in
                let call = try stage.call("c1f00d")
                try stage.apply(call)
                let envoy = try await startEnvoy(stage, old.bootstrap(stage, directory: old.pair("envoy")))
                try await envoy.awaitListeners(call.listeners)
                let caller = try Caller(name: call.id, ports: call.ports, interval: .milliseconds(5))
                _ = try await caller.freshAnswers()

                let updates = "ssl_context_update_by_sds"
                /// Gives both sides files at once, and waits until they use them: the Envoy counts its `changes`, of the pair and of the trust.
                func rotate(_ changes: UInt64, envoy name: String, of store: CertificateStore, trust: [CertificateStore])
                    async throws
                {
                    let count = try await envoy.admin.statistics(containing: updates).values.reduce(0, +)
                    try old.mount("server", "server", of: store, authorities: trust)
                    try old.mount("envoy", name, of: store, authorities: trust)
                    try await stage.xdsOperator.child.line("the server's new files", within: .seconds(30)) {
                        $0.contains("new TLS files are in force") ? () : nil
                    }
                    try await envoy.wait("the Envoy's new files") { admin in
                        let now = try await admin.statistics(containing: updates)
                        return now.values.reduce(0, +) >= count + changes ? .met(()) : .unmet("\(now)")
                    }
                }
                func awaitAdmission(_ name: String) async throws {
                    try await stage.xdsOperator.child.line("the admission of \(name)", within: .seconds(30)) {
                        $0.contains("client admitted") && $0.contains("identity=\(name)") ? () : nil
                    }
                }
                try await awaitAdmission("spiffe://cluster.local/ns/default/sa/default")
                // First both are trusted, then there are certificates of the new one, and at last the old one is trusted no more.
                try await old.issue("spare", "--uri", "spiffe://cluster.local/ns/default/sa/default", "--dns", "127.0.0.1")
                try await rotate(2, envoy: "spare", of: old, trust: [old, new])
                try await awaitAdmission("spiffe://cluster.local/ns/default/sa/default")
                try await rotate(1, envoy: "first", of: new, trust: [old, new])
                try await awaitAdmission("envoy-ingress-0.default")
                try await rotate(2, envoy: "second", of: new, trust: [new])
                try await awaitAdmission("uid-default-envoy-ingress-0")

                // Who still comes with the old one is refused.
                let (_, refusal) = try await ChildProcess.run([
                    "/usr/bin/openssl", "s_client", "-connect", "\(stage.xdsOperator.xds)", "-alpn", "h2", "-tls1_2", "-CAfile",
                    "\(new.path)/ca.crt", "-cert", "\(old.pair("late"))/tls.crt", "-key", "\(old.pair("late"))/tls.key",
                ])
                #expect(refusal.contains("alert"), "\(refusal)")

                let second = try stage.call("second")
                try stage.apply(second)
                try await envoy.awaitListeners(call.listeners.union(second.listeners))
                try await caller.awaitSent(200)
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])
                #expect(try await envoy.admin.statistic("listener_manager.listener_modified") == 0)
                #expect(try await envoy.admin.statistic("listener_manager.listener_removed") == 0)
            }
        }

        // MARK: - openssl s_client

        private func serverCertificate(_ stage: Stage, _ store: CertificateStore) async throws -> String {
            let output = try await sClient(stage, store, "-alpn", "h2", "-showcerts")
            return output.components(separatedBy: "-----END CERTIFICATE-----").first ?? ""
        }

        /// What `openssl s_client` says, which shows the Envoy's certificate and sends nothing.
        private func sClient(_ stage: Stage, _ store: CertificateStore, _ options: String...) async throws -> String {
            let pair = store.pair("envoy")
            return try await ChildProcess.run(
                [
                    "/usr/bin/openssl", "s_client", "-connect", "\(stage.xdsOperator.xds)", "-CAfile", "\(pair)/ca.crt", "-cert",
                    "\(pair)/tls.crt", "-key", "\(pair)/tls.key", "-verify_return_error",
                ] + options
            ).output
        }

        @Test func `versions, ALPN and resumption are as promised`() async throws {
            let store = try await CertificateStore.made()
            try await store.issue("envoy", "--dns", "envoy-ingress-0.default")
            try await Stage.play(arguments: store.serverArguments) { stage in
                let newest = try await sClient(stage, store, "-alpn", "h2")
                #expect(newest.contains("Verify return code: 0 (ok)"), "\(newest)")
                #expect(newest.contains("New, TLSv1.3, Cipher is TLS_"), "\(newest)")
                #expect(newest.contains("ALPN protocol: h2"))
                let older = try await sClient(stage, store, "-alpn", "http/1.1,h2", "-tls1_2")
                #expect(older.contains("New, TLSv1.2, Cipher is ECDHE-"), "\(older)")
                #expect(older.contains("ALPN protocol: h2"))
                for version in ["-tls1_1", "-tls1"] {
                    let oldest = try await sClient(stage, store, "-alpn", "h2", version, "-cipher", "DEFAULT@SECLEVEL=0")
                    #expect(oldest.contains("Cipher is (NONE)"), "\(oldest)")
                }
                let weak = try await sClient(stage, store, "-alpn", "h2", "-tls1_2", "-cipher", "AES128-SHA")
                #expect(weak.contains("Cipher is (NONE)"), "\(weak)")
                let other = try await sClient(stage, store, "-alpn", "http/1.1")
                #expect(other.contains("no application protocol"), "\(other)")
                for version in ["-tls1_2", "-tls1_3"] {
                    let again = try await sClient(stage, store, "-alpn", "h2", version, "-reconnect")
                    #expect(!again.contains("Reused, "), "\(again)")
                    #expect(again.contains("New, "), "\(again)")
                }
                // Without ALPN there is no HTTP/2 (RFC 9113 section 3.2).
                _ = try await sClient(stage, store)
                try await stage.xdsOperator.child.line("the want of ALPN") { $0.contains("does not offer HTTP/2") ? () : nil }
            }
        }
    }
}
