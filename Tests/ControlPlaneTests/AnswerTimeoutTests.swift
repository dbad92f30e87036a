import Domain
import EnvoyAPI
import GRPC
import Kubernetes
import RPCTestClient
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Clients that do not answer, or do not even read: they cost a bounded amount of memory for a bounded time.
@Suite struct AnswerTimeoutTests {
    private static let worldPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"

    /// What an answering client does with the response of number `number`.
    private func acknowledge(_ stream: TestStream, _ number: Int) async throws {
        let nonce = try await stream.response(number).nonce
        try await stream.send(listenerType) { $0.responseNonce = nonce }
    }

    /// The node ids of the streams that are served.
    private func clients(_ plane: TestPlane) async throws -> [String] {
        let status = try await plane.connect(ClientStatusStream.Method.fetch.rawValue)
        await status.client.perform { [id = status.id] in $0.send(id, []) }
        try await status.client.until { [id = status.id] in $0.session.streams[id]?.messages.isEmpty == false }
        let bytes = await status.client.perform { [id = status.id] in $0.streams[id]?.messages.first ?? [] }
        await status.client.close()
        return try Envoy_Service_Status_V3_ClientStatusResponse(serializedBytes: bytes).config.map(\.node.id)
    }

    @Test(arguments: [TestPlane.deltaPath, worldPath])
    func aClientThatReadsAndDoesNotAnswerIsEnded(path: String) async throws {
        try await TestPlane.with(answerTimeout: .milliseconds(300)) { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e")])
            let silent = try await plane.connect(path)
            if path == TestPlane.deltaPath {
                try await silent.send(listenerType, node: "uid-e")
            } else {
                let request = Envoy_Service_Discovery_V3_DiscoveryRequest.with {
                    $0.typeURL = listenerType
                    $0.node.id = "uid-e"
                }
                let bytes: [UInt8] = try request.serializedBytes()
                await silent.client.perform { [id = silent.id] in $0.send(id, bytes) }
            }
            #expect(try await silent.status() == "\(Status.Code.deadlineExceeded.rawValue)")
            #expect(await silent.responseCount() == 1)
            #expect(try await clients(plane).isEmpty)
        }
    }

    @Test func aClientThatAnswersStays() async throws {
        try await TestPlane.with(answerTimeout: .seconds(2)) { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e"), envoyPod("f")])
            let good = try await plane.connect()
            try await good.send(listenerType, node: "uid-e")
            try await acknowledge(good, 0)
            // Another one's end tells that the time has passed.
            let silent = try await plane.connect()
            try await silent.send(listenerType, node: "uid-f")
            #expect(try await silent.status() == "\(Status.Code.deadlineExceeded.rawValue)")
            await plane.virtualServices.receive(.applied(try call("b", port: 1001)))
            #expect(try await good.response(1).resources.map(\.name) == ["l-b"])
        }
    }

    /// A client that reads nothing is sent no more than its window, however much changes, and its connection is closed.
    @Test func aClientThatNeverReadsCostsConstantMemoryAndIsEnded() async throws {
        try await TestPlane.with(answerTimeout: .seconds(5), stallTimeout: .seconds(5)) { plane in
            // More bytes than HTTP/2 lets go to a client that reads nothing.
            let many = try (0..<200).map { try call(String(repeating: "x", count: 1000) + "\($0)", port: 1000 + $0) }
            await plane.sync(many, [envoyPod("e"), envoyPod("f")])
            let watcher = try await plane.connect()
            try await watcher.send(listenerType, node: "uid-f")
            try await acknowledge(watcher, 0)
            let before = plane.metrics.pushCount
            let deaf = try await plane.connect()
            await deaf.client.read(false)
            try await deaf.send(listenerType, node: "uid-e")
            let changes = 40
            for number in 1...changes {
                await plane.virtualServices.receive(.applied(try call("c\(number)", port: 10_000 + number)))
                try await acknowledge(watcher, number)
            }
            // All of the watcher's, and a window of the other's.
            #expect(plane.metrics.pushCount - before - changes <= 8)
            let deadline = ContinuousClock.now + .seconds(20)
            while plane.metrics.openStreams > 1, ContinuousClock.now < deadline { _ = try await clients(plane) }
            #expect(try await clients(plane) == ["uid-f"])
            #expect(plane.metrics.openStreams == 1)
        }
    }
}
