import EnvoyAPI
import GRPC
import HTTP2
import RPCTestClient
import SwiftProtobuf
import Testing
import XDS

@testable import ControlPlane

/// From a message to the socket, and from the socket to what an acknowledgement says.
@Suite struct ConnectionPathTests {
    private final class Pair {
        let server = ServerSession(settings: SessionSettings())
        let client = ClientSession()
        let now = ContinuousClock.now

        /// Carries bytes to and fro until both are silent.
        func exchange() {
            while true {
                let request = client.takeOutput()
                request.withUnsafeBytes { server.receive($0, at: now) }
                _ = server.takeEvents()
                let response = write()
                client.receive(response)
                if request.isEmpty && response.isEmpty { return }
            }
        }

        /// What the socket would be given, which takes all of it.
        @discardableResult
        func write() -> [UInt8] {
            server.fillOutput()
            let bytes = server.output.withVectors(maximum: 16) { $0.flatMap { Array($0) } }
            server.wrote(bytes.count)
            return bytes
        }
    }

    @Test func sendingAMessage() {
        let pair = Pair()
        let id = pair.client.request(ClientSession.fields(path: "/a.B/C"))
        pair.exchange()
        pair.server.respond(id, ResponseFields.head)
        pair.exchange()
        let (head, body) = ([UInt8](repeating: 1, count: 10), [UInt8](repeating: 2, count: 1500))
        let cost = Cost.least {
            pair.server.send(id, OutboundMessage(head: head, body: body))
            pair.server.fillOutput()
            pair.server.wrote(pair.server.output.byteCount)
        }
        #expect(pair.server.pendingByteCount == 0 && pair.server.failure == nil)
        #expect(cost.allocations <= 21, "\(cost)")
    }

    @Test func receivingAMessage() {
        let pair = Pair()
        let id = pair.client.request(ClientSession.fields(path: "/a.B/C"))
        pair.exchange()
        var frames = (0..<11).map { _ in
            pair.client.send(id, [UInt8](repeating: 3, count: 80))
            return pair.client.takeOutput()
        }
        var count = 0
        let cost = Cost.least {
            frames.removeFirst().withUnsafeBytes { pair.server.receive($0, at: pair.now) }
            count += pair.server.takeEvents().count
        }
        #expect(count == 11 && pair.server.failure == nil)
        #expect(!pair.server.needsFlush, "there is nothing to write, and so no second look at the connection")
        #expect(cost.allocations <= 4, "\(cost)")
    }

    @Test func readingAnAcknowledgement() throws {
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        message.typeURL = ResourceType.endpoint.typeURL
        message.responseNonce = "0000002a"
        let bytes: [UInt8] = try message.serializedBytes()
        let form = DeltaForm()
        message.resourceNamesSubscribe = ["cluster"]
        _ = form.received(try form.decode(message.serializedBytes(), nameLimit: 100, needsNode: true))
        let cost = try Cost.least {
            guard form.acknowledged(bytes, of: nil) != nil else { throw Unexpected() }
        }
        #expect(cost.allocations <= 7, "\(cost)")
    }

    /// A client with a thousand clusters repeats their names; those that are known are not decoded.
    @Test func readingAnAcknowledgementWithAllNames() throws {
        var message = Envoy_Service_Discovery_V3_DiscoveryRequest()
        message.typeURL = ResourceType.endpoint.typeURL
        message.resourceNames = (0..<1000).map { "cluster-\($0)" }
        let form = WorldForm(isAggregated: true)
        _ = form.received(try form.decode(message.serializedBytes(), nameLimit: 2000, needsNode: true))
        // The machine takes in the names of answers to its last response only: a client that begins anew is one that says no nonce.
        message.responseNonce = "00000001"
        let bytes: [UInt8] = try message.serializedBytes()
        let unknown = try form.decode(bytes, nameLimit: 2000, needsNode: false)
        #expect(unknown.nameCount == 1000)
        guard case .stateOfTheWorld(var first) = unknown.content else { throw Unexpected() }
        first.nonce = ""
        _ = form.received(StreamRequest(content: .stateOfTheWorld(first), isAnswer: false))
        let cost = try Cost.least {
            let request = try form.decode(bytes, nameLimit: 2000, needsNode: false)
            guard request.nameCount == 0, request.isAnswer else { throw Unexpected() }
        }
        #expect(cost.allocations <= 8, "\(cost)")
        message.resourceNames[500] = "another"
        #expect(try form.decode(message.serializedBytes(), nameLimit: 2000, needsNode: false).nameCount == 1000)
    }

    private struct Unexpected: Error {}
}
