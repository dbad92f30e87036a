import Foundation
import KubeAPISimulator
import TestKit
import Testing

extension EndToEndTests {
    /// The operator on the objects of an API server, with the rights of the chart, a real kubectl and real Envoys.
    @Suite(.cluster) struct ClusterTests {
        @Test func `a call is set up, waited for, and deleted with its finalizer`() async throws {
            try await ClusterStage.play(workers: 1) { stage in
                let xdsOperator = try await stage.startOperator()
                let envoy = try await stage.startEnvoy(of: xdsOperator)
                try await stage.awaitLeader("one")
                let call = try stage.call("c1f00d", streams: 4)
                try await stage.create(call)
                try await stage.admin.kubectl(
                    "wait", "-n", stage.namespace, "--for=condition=Programmed", "vsvc/\(call.name)", "--timeout=30s")
                // Programmed means that datagrams pass, at once.
                let caller = try call.caller()
                #expect(Set(try await caller.freshAnswers()) == ["worker-0"])
                #expect(await caller.stop().map { $0.lost() } == [0, 0, 0, 0])

                let rows = try await stage.admin.kubectl("get", "-n", stage.namespace, "vsvc").split(separator: "\n")
                #expect(rows.map { $0.split(separator: " ").dropLast() }.first == ["NAME", "LISTENERS", "ENVOYS", "PROGRAMMED"])
                #expect(
                    rows.map { $0.split(separator: " ").dropLast() }.last == [Substring(call.name), "4", "1/1", "True"], "\(rows)"
                )
                let status = try await stage.await(call, "with all conditions") { $0.condition("Programmed") != nil }
                for (type, value, reason) in [
                    ("Accepted", "True", "Valid"), ("Conflicted", "False", "NoConflict"), ("ResolvedRefs", "True", "Resolved"),
                    ("Programmed", "True", "Programmed"),
                ] {
                    #expect(status.condition(type)?["status"]?.text == value)
                    #expect(status.condition(type)?["reason"]?.text == reason)
                    #expect(status.condition(type)?["observedGeneration"] == status["metadata", "generation"])
                }

                let finalizer = #"{"metadata":{"finalizers":["l7mp.io/delete"]}}"#
                try await stage.admin.kubectl(
                    "patch", "-n", stage.namespace, "vsvc", call.name, "--type=merge", "-p", finalizer)
                try await stage.admin.kubectl(
                    "delete", "-n", stage.namespace, "vsvc", call.name, "--wait=true", "--timeout=30s")
                #expect(try await envoy.admin.listeners().isEmpty)
                // The chart grants all that was needed.
                let complaints = xdsOperator.child.progress.value.lines.filter {
                    $0.contains("may not") || $0.lowercased().contains("forbid")
                }
                #expect(complaints == [])
                #expect(try await xdsOperator.child.stop(grace: .seconds(20)) == .exited(0))
                #expect(try await stage.leader() == nil, "the lease is given back")
            }
        }

        @Test func `pods come, are unready, terminate, go, and come back under the same name`() async throws {
            try await ClusterStage.play(workers: 3) { stage in
                let xdsOperator = try await stage.startOperator()
                let envoy = try await stage.startEnvoy(of: xdsOperator)
                let call = try stage.call("c1f00d")
                try await stage.create(call)
                let all = stage.hosts(stage.workers, of: call)
                try await envoy.awaitHosts(of: call.cluster(0), are: all)
                func awaitHealth(_ health: String, of worker: Worker) async throws {
                    let address = SocketAddress(worker.host, call.streams[0].workerPort)
                    try await envoy.wait("\(worker.name) to be \(health)") { admin in
                        let hosts = try await admin.hosts(of: call.cluster(0))
                        return hosts[address] == health ? .met(()) : .unmet("\(hosts)")
                    }
                }

                var first = stage.pod(of: stage.workers[0])
                first.isReady = false
                try await stage.update(first)
                try await awaitHealth("/failed_eds_health", of: stage.workers[0])
                first.isReady = true
                try await stage.update(first)
                try await awaitHealth("healthy", of: stage.workers[0])

                // Gone at once, having no node; back on a node, with another uid.
                try await stage.remove(first)
                try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(Array(stage.workers[1...]), of: call))
                first.node = "node-1"
                try await stage.add(first)
                try await envoy.awaitHosts(of: call.cluster(0), are: all)
                try await awaitHealth("healthy", of: stage.workers[0])
                try await stage.remove(first)
                try await awaitHealth("/degraded_eds_health", of: stage.workers[0])
                try await stage.remove(first, isForced: true)
                try await envoy.awaitHosts(of: call.cluster(0), are: stage.hosts(Array(stage.workers[1...]), of: call))

                for worker in stage.workers[1...] { try await stage.remove(stage.pod(of: worker)) }
                try await envoy.awaitHosts(of: call.cluster(0), are: [])
                try await stage.awaitCondition(call, "ResolvedRefs", "False", "NoMatchingPods")
                #expect(try await envoy.admin.statistic("listener_manager.listener_modified") == 0)
            }
        }

        @Test func `of two claims to a port both sides are told, and the loser is not programmed until it has all`() async throws
        {
            try await ClusterStage.play(workers: 1) { stage in
                let xdsOperator = try await stage.startOperator()
                let envoy = try await stage.startEnvoy(of: xdsOperator)
                try await stage.awaitLeader("one")
                let winner = try stage.call("a-older")
                var loser = try stage.call("b-younger", streams: 2)
                loser.streams[0].port = winner.streams[0].port
                try await stage.create(winner)
                try await stage.create(loser)
                let told = try await stage.awaitCondition(loser, "Programmed", "False", "Conflicted")
                for call in [winner, loser] {
                    let object = try await stage.awaitCondition(call, "Conflicted", "True", "Conflict")
                    let message = object.condition("Conflicted")?["message"]?.text ?? ""
                    #expect(message.contains(winner.name) && message.contains(loser.name), "\(message)")
                }
                #expect(told.condition("Programmed")?["message"]?.text?.contains(loser.listener(0)) == true)
                #expect(told["status", "envoys"]?.text == "0/1")
                try await stage.awaitCondition(winner, "Programmed", "True", "Programmed")
                try await envoy.awaitListeners([winner.listener(0), loser.listener(1)])
                try await stage.awaitEvent("Conflict", of: loser)
                let shown = try await stage.admin.kubectl("events", "-n", stage.namespace, "--for", "vsvc/\(loser.name)")
                #expect(shown.contains("Conflict") && shown.contains("Warning"), "\(shown)")

                try await stage.admin.delete(stage.path(winner))
                let object = try await stage.awaitCondition(loser, "Programmed", "True", "Programmed")
                #expect(object["status", "envoys"]?.text == "1/1")
                #expect(try await loser.caller().freshAnswers() == ["worker-0", "worker-0"])
            }
        }

        @Test func `what an Envoy rejects is said in its own words, on the object and as an event`() async throws {
            try await ClusterStage.play(workers: 1) { stage in
                let xdsOperator = try await stage.startOperator()
                _ = try await stage.startEnvoy(of: xdsOperator)
                try await stage.awaitLeader("one")
                let call = try stage.call("c1f00d")
                // Somebody else has the port, and does not share it.
                let squatter = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", call.ports[0]))
                try await stage.create(call)
                let object = try await stage.awaitCondition(call, "Programmed", "False", "Rejected")
                let message = object.condition("Programmed")?["message"]?.text ?? ""
                #expect(message.contains("0.0.0.0:\(call.ports[0])"), "\(message)")
                let event = try await stage.awaitEvent("Rejected", of: call)
                #expect(event["note"]?.text?.contains("0.0.0.0:\(call.ports[0])") == true, "\(event)")
                withExtendedLifetime(squatter) {}

                var moved = call
                moved.streams[0].port = try stage.ground.port()
                try await stage.admin.patch(
                    stage.path(call), ["spec": JSONValue(yaml: moved.yaml)["spec"] ?? [:]])
                try await stage.awaitCondition(moved, "Programmed", "True", "Programmed")
                #expect(try await moved.caller().freshAnswers() == ["worker-0"])
            }
        }

        @Test func `what the schema admits and the operator refuses is said with its field, on the object and as an event`()
            async throws
        {
            try await ClusterStage.play(workers: 1) { stage in
                let xdsOperator = try await stage.startOperator()
                let envoy = try await stage.startEnvoy(of: xdsOperator)
                try await stage.awaitLeader("one")
                let call = try stage.call("c1f00d", streams: 2)
                // The schema knows only how long a name may be.
                var wrong = call
                wrong.host = .address("not a host")
                try await stage.admin.create(JSONValue(yaml: wrong.yaml))
                let field = "spec.listeners[0].udp.cluster.endpoints[0].host.address"
                let object = try await stage.awaitCondition(call, "Accepted", "False", "Invalid")
                let message = object.condition("Accepted")?["message"]?.text ?? ""
                #expect(message.contains(field) && message.contains("must be an IP address"), "\(message)")
                #expect(object.condition("Programmed")?["status"]?.text == "False")
                #expect(object.condition("Programmed")?["reason"]?.text == "Invalid")
                #expect(object.condition("Conflicted")?["status"]?.text == "Unknown")
                let event = try await stage.awaitEvent("Invalid", of: call)
                #expect(event["note"]?.text?.contains(field) == true, "\(event)")

                // Put right, it is served.
                try await stage.admin.patch(
                    stage.path(call), ["spec": JSONValue(yaml: call.yaml)["spec"] ?? [:]])
                try await stage.awaitCondition(call, "Programmed", "True", "Programmed")
                try await stage.awaitCondition(call, "Accepted", "True", "Valid")
                try await envoy.awaitListeners(call.listeners)
            }
        }

        @Test func `rights in one namespace suffice for an operator of that namespace`() async throws {
            try await ClusterStage.play(workers: 1, rights: .ownNamespace) { stage in
                #expect(!stage.grants.contains { $0["kind"]?.text == "ClusterRoleBinding" })
                let xdsOperator = try await stage.startOperator()
                // By its pod's uid, as the downward API gives it.
                let pod = try #require(try await stage.admin.get(ClusterPath.pod("ingress-0", stage.namespace)))
                let envoy = try await stage.startEnvoy(of: xdsOperator, node: try #require(pod["metadata", "uid"]?.text))
                let call = try stage.call("c1f00d")
                try await stage.create(call)
                try await envoy.awaitListeners(call.listeners)
                try await stage.awaitCondition(call, "Programmed", "True", "Programmed")
                #expect(try await call.caller().freshAnswers() == ["worker-0"])
            }
        }

        @Test func `without a right it says which verb on which resource it lacks, and goes on when it is granted`() async throws
        {
            try await ClusterStage.play(workers: 1, withheld: ["ClusterRoleBinding", "RoleBinding"]) { stage in
                func binding(_ kind: String) throws -> JSONValue {
                    try #require(stage.grants.first { $0["kind"]?.text == kind })
                }
                let (everywhere, leases) = (try binding("ClusterRoleBinding"), try binding("RoleBinding"))
                let xdsOperator = try await stage.startOperator(isReady: false)
                for (verb, resource) in [
                    ("list", "virtualservices.servicemesh.l7mp.io"), ("list", "pods"), ("get", "leases.coordination.k8s.io"),
                ] {
                    try await xdsOperator.child.line("a complaint about \(verb) \(resource)", within: .seconds(40)) {
                        $0.contains("can't \(verb) \(resource)") && $0.contains("forbidden") ? () : nil
                    }
                }
                #expect(try await httpGet("/readyz", from: xdsOperator.probes).status == 503)

                for binding in [everywhere, leases] { try await stage.admin.create(binding) }
                try await xdsOperator.awaitReady(within: .seconds(60))
                _ = try await stage.startEnvoy(of: xdsOperator)
                let call = try stage.call("c1f00d")
                try await stage.create(call)
                try await stage.awaitCondition(call, "Programmed", "True", "Programmed", within: .seconds(60))

                // What it reads it still reads; what it may not write it goes on trying.
                let role = try #require(stage.grants.first { $0["kind"]?.text == "ClusterRole" && $0.grants("patch") })
                try await stage.admin.patch(
                    ClusterPath.object(role),
                    ["rules": .array((role["rules"]?.elements ?? []).filter { !$0.isAbout("virtualservices/status") })])
                try await stage.awaitRight("patch", "servicemesh.l7mp.io", "virtualservices/status", isGranted: false)
                let next = try stage.call("next")
                try await stage.create(next)
                try await xdsOperator.child.line("a complaint about status", within: .seconds(40)) {
                    $0.contains("may not patch") && $0.contains("virtualservices/status") ? () : nil
                }
                #expect(try await next.caller().freshAnswers() == ["worker-0"])
                try await stage.admin.patch(ClusterPath.object(role), ["rules": role["rules"] ?? []])
                try await stage.awaitCondition(next, "Programmed", "True", "Programmed", within: .seconds(60))
            }
        }

        @Test(arguments: ["signalling_controller.py", "custom_objects.py"])
        func `Python's client drives it`(script: String) async throws {
            try await ClusterStage.play(workers: 1) { stage in
                // The second script sets up objects of its own and tells what an API server does to them, without an operator.
                let usesOperator = script == "signalling_controller.py"
                let xdsOperator = usesOperator ? try await stage.startOperator() : nil
                if let xdsOperator { _ = try await stage.startEnvoy(of: xdsOperator) }
                if !usesOperator {
                    for name in ["ingress-0", "worker-0"] {
                        try await stage.admin.delete(ClusterPath.pod(name, stage.namespace), gracePeriodSeconds: 0)
                    }
                }
                let ports = usesOperator ? ["\(try stage.ground.port())", "\(stage.workers[0].ports[0])"] : []
                let (end, output) = try await ChildProcess.run(
                    [
                        ClusterClient.program("python"), "\(ClusterClient.root)Tests/Conformance/\(script)",
                        stage.admin.kubeconfig,
                        stage.namespace,
                    ] + ports, within: .seconds(90))
                #expect(end == .exited(0), "\(output)")
            }
        }
    }
}

extension JSONValue {
    /// Whether a role grants `verb` on anything.
    fileprivate func grants(_ verb: String) -> Bool {
        // Those for people have no rule about pods.
        (self["rules"]?.elements ?? []).contains { $0.isAbout("pods") }
            && (self["rules"]?.elements ?? []).contains { $0["verbs"]?.elements?.contains(.string(verb)) == true }
    }

    fileprivate func isAbout(_ resource: String) -> Bool { self["resources"]?.elements?.contains(.string(resource)) == true }
}

extension ClusterStage {
    /// Waits for an event of `reason` about `call`, by `events.k8s.io/v1`.
    @discardableResult
    func awaitEvent(_ reason: String, of call: CallManifest) async throws -> JSONValue {
        let path = ClusterPath.collection("events.k8s.io/v1", "events", namespace: namespace)
        return try await eventually("an event \(reason) of \(call.name)", within: .seconds(30)) { () -> Look<JSONValue> in
            let events = try await admin.items(path)
            let found = events.first {
                $0["reason"]?.text == reason && $0["regarding", "name"]?.text == call.name && $0["type"]?.text == "Warning"
            }
            return found.map { .met($0) } ?? .unmet("\(events.map(\.encodedText))")
        }
    }
}
