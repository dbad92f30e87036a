import Domain
import EnvoyAPI
import Foundation
import GRPC
import HTTP2
import Kubernetes
import Logging
import RPCTestClient
import ServiceLifecycle
import SwiftProtobuf
import Testing
import Transport

@testable import ControlPlane

/// An API server that knows tokens, and counts who asks.
private actor TokenAPI: APIClient {
    private(set) var count = 0
    private var isDown = false
    private var gate: Gate?

    func fail(_ isDown: Bool) { self.isDown = isDown }

    /// Answers nothing until the gate opens.
    func wait(for gate: Gate) { self.gate = gate }

    func send(_ request: APIRequest) async throws -> APIResponse {
        count += 1
        await gate?.wait()
        if isDown { throw APITransportError("no connection") }
        let text = String(decoding: request.body, as: UTF8.self)
        func answer(_ status: String) -> APIResponse { APIResponse(status: 201, body: Array("{\"status\":\(status)}".utf8)) }
        guard text.contains("good-") else { return answer(#"{"authenticated":false,"error":"unknown"}"#) }
        let uid = text.contains("good-e") ? "uid-e" : "uid-other"
        return answer(
            """
            {"authenticated":true,"audiences":["xds-operator"],"user":{"username":"system:serviceaccount:default:\(uid)",
            "extra":{"authentication.kubernetes.io/pod-uid":["\(uid)"]}}}
            """)
    }
}

/// A token that expires an hour from now.
private func token(_ name: String) -> String {
    let claims = Data("{\"exp\":\(Int64(Date().timeIntervalSince1970) + 3600)}".utf8).base64EncodedString()
    return "\(name).\(claims.replacing("=", with: "").replacing("+", with: "-").replacing("/", with: "_")).x"
}

/// What clients with a token, a wrong one or none get of each method.
@Suite(.timeLimit(.minutes(2))) struct AccessTests {
    private static let deltaPath = TestPlane.deltaPath
    private static let world = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
    private static let paths = [
        deltaPath, world, "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters",
        "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters",
        "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters",
    ]

    private struct Plane {
        let plane: TestPlane
        let api: TokenAPI
        let metrics: AccessMetrics

        /// The outcome of an RPC that names `node`: the names of the first response's resources, or the status.
        func ask(_ path: String, node: String = "uid-e", _ authorization: String?) async throws -> String {
            let client = try await TestClient(plane.address)
            let id = await client.perform {
                $0.request(ClientSession.fields(path: path) + (authorization.map { [("authorization", $0)] } ?? []))
            }
            // Both forms of request have the node in field 1, and the type in a field that a service of one type may leave out.
            var delta = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            delta.node.id = node
            delta.typeURL = clusterType
            var world = Envoy_Service_Discovery_V3_DiscoveryRequest()
            world.node.id = node
            world.typeURL = clusterType
            let bytes: [UInt8] =
                try path.contains("/Delta") ? delta.serializedBytes() : world.serializedBytes()
            await client.perform { $0.send(id, bytes) }
            try await client.until {
                let stream = $0.session.streams[id]
                return stream?.isEnded == true || stream?.messages.isEmpty == false
            }
            let stream = await client.perform { $0.streams[id] }
            await client.close()
            return stream?.messages.isEmpty == false ? "served" : stream?.value("grpc-status") ?? ""
        }

        func expect(
            _ outcome: String, _ path: String, node: String = "uid-e", _ authorization: String?,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let found = try await ask(path, node: node, authorization)
            #expect(found == outcome, sourceLocation: sourceLocation)
        }
    }

    private func with(_ rules: IdentityRules = IdentityRules(), _ body: @escaping (Plane) async throws -> Void) async throws {
        let api = TokenAPI()
        let metrics = AccessMetrics()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let reviewer = TokenReviewer(client: api, audiences: ["xds-operator"], metrics: metrics, logger: logger)
        let access = AccessControl(rules: rules, reviewer: reviewer, metrics: metrics, logger: logger)
        try await TestPlane.with(access: access) { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e"), envoyPod("other")])
            try await body(Plane(plane: plane, api: api, metrics: metrics))
        }
    }

    @Test(arguments: paths) func everyFormOfDiscoveryIsGuarded(path: String) async throws {
        try await with { plane in
            try await plane.expect("served", path, "Bearer \(token("good-e"))")
            try await plane.expect("16", path, nil)
            try await plane.expect("16", path, "Basic abc")
            try await plane.expect("16", path, "Bearer \(token("bad"))")
            try await plane.expect("7", path, "Bearer \(token("good-other"))")
            try await plane.expect("served", path, node: "default/e", "bearer \(token("good-e"))")
            #expect(plane.metrics.allowedCount == 2)
            #expect(plane.metrics.denials(.anonymous) == 2)
            #expect(plane.metrics.denials(.badToken) == 1)
            #expect(plane.metrics.denials(.otherPod) == 1)
        }
    }

    @Test func everythingElseIsForAdministrators() async throws {
        let rules = IdentityRules(administrators: ["system:serviceaccount:default:uid-e"])
        try await with(rules) { plane in
            // What there is none of: a guard that let it pass would let it find that out.
            let path = "/envoy.service.status.v3.ClientStatusDiscoveryService/Unheard"
            try await plane.expect("16", path, nil)
            try await plane.expect("7", path, "Bearer \(token("good-other"))")
            try await plane.expect("12", path, "Bearer \(token("good-e"))")
            #expect(plane.metrics.denials(.notAdministrator) == 1)
        }
    }

    @Test func probesNeedNoIdentity() async throws {
        try await with { plane in
            let client = try await TestClient(plane.plane.address)
            let id = await client.open("/grpc.health.v1.Health/Check")
            await client.perform { $0.send(id, []) }
            try await client.until { $0.session.streams[id]?.isEnded == true }
            #expect(await client.perform { $0.streams[id]?.value("grpc-status") } == "0")
        }
    }

    @Test func anUnknownPodIsWaitedForAndThenChecked() async throws {
        try await with { plane in
            let pods = plane.plane.pods
            async let served = plane.ask(Self.deltaPath, node: "default/late", "Bearer \(token("good-other"))")
            async let refused = plane.ask(Self.deltaPath, node: "default/later", "Bearer \(token("good-e"))")
            // Somebody else is served meanwhile, which shows that the two wait.
            try await plane.expect("served", Self.deltaPath, "Bearer \(token("good-e"))")
            for name in ["late", "later"] {
                var pod = envoyPod(name)
                pod.metadata = ObjectMetadata(
                    key: pod.key, uid: name == "late" ? "uid-other" : "uid-later")
                await pods.receive(.applied(pod))
            }
            #expect(try await served == "served")
            #expect(try await refused == "7")
        }
    }

    private func open(_ client: TestClient, _ authorization: String) async -> Int32 {
        await client.perform { $0.request(ClientSession.fields(path: Self.deltaPath) + [("authorization", authorization)]) }
    }

    @Test func whoIsNotKnownYetMaySendOneWindow() async throws {
        let window = SessionSettings().streamWindow
        let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
            $0.node.id = "uid-e"
            $0.typeURL = listenerType
            $0.resourceNamesSubscribe = ["*"] + (0..<20_000).map { "\($0)" + String(repeating: "x", count: 100) }
        }
        let bytes: [UInt8] = try request.serializedBytes()
        try await with { plane in
            let gate = Gate()
            await plane.api.wait(for: gate)
            let client = try await TestClient(plane.plane.address)
            let id = await open(client, "Bearer \(token("good-e"))")
            await client.perform { $0.send(id, bytes) }
            let rest = bytes.count + 5 - window
            try await client.until { $0.session.unsentByteCount(of: id) <= rest }
            for number in 1...5 {
                await client.perform { $0.ping() }
                try await client.until { $0.session.pingAcknowledgementCount == number }
            }
            #expect(await client.perform { $0.unsentByteCount(of: id) } == rest)
            gate.open()
            try await client.until { $0.session.streams[id]?.messages.isEmpty == false }
            #expect(await client.perform { $0.unsentByteCount(of: id) } == 0)
        }
    }

    @Test func whoIsNotKnownYetMayNotSendTinyMessagesWithoutEnd() async throws {
        try await with { plane in
            let gate = Gate()
            await plane.api.wait(for: gate)
            defer { gate.open() }
            let client = try await TestClient(plane.plane.address)
            let id = await open(client, "Bearer \(token("good-e"))")
            await client.perform { $0.sendRaw(id, Array(repeating: 0, count: 5 * 9000)) }
            try await client.until { $0.session.streams[id]?.isEnded == true }
            #expect(await client.perform { $0.streams[id]?.value("grpc-status") } == "8")
        }
    }

    @Test func whatTheRefusedSentTakesNoRoomFromOthersOfTheConnection() async throws {
        let settings = SessionSettings()
        try await with { plane in
            let client = try await TestClient(plane.plane.address)
            // Twice the window of the connection.
            for _ in 0..<2 * settings.connectionWindow / settings.streamWindow {
                let gate = Gate()
                await plane.api.wait(for: gate)
                let id = await open(client, "Bearer \(UUID())")
                await client.perform {
                    $0.sendRaw(id, [0, 0, 0x10, 0, 0] + Array(repeating: 0, count: settings.streamWindow - 5))
                }
                try await client.until { $0.session.unsentByteCount(of: id) == 0 }
                gate.open()
                try await client.until { $0.session.streams[id]?.isEnded == true }
                #expect(await client.perform { $0.streams[id]?.value("grpc-status") } == "16")
            }
        }
    }

    @Test func aReviewIsRememberedUnlessItFailed() async throws {
        try await with { plane in
            let good = token("good-e")
            for _ in 0..<3 { try await plane.expect("served", Self.deltaPath, "Bearer \(good)") }
            let asked = await plane.api.count
            #expect(asked == 1)
            await plane.api.fail(true)
            for _ in 0..<2 { try await plane.expect("14", Self.deltaPath, "Bearer fresh") }
            #expect(await plane.api.count == asked + 2)
            #expect(plane.metrics.failedReviewCount == 2)
            await plane.api.fail(false)
            try await plane.expect("16", Self.deltaPath, "Bearer fresh")
            try await plane.expect("16", Self.deltaPath, "Bearer fresh")
            #expect(await plane.api.count == asked + 3)
        }
    }
}
