import EnvoyAPI
import RPCTestClient
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct StreamLimitTests {
    private func scan(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest, limit: Int = 10) throws -> RequestScan {
        try RequestScan(request.serializedBytes(), .delta, nameLimit: limit)
    }

    @Test func countsNames() throws {
        let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
            $0.node.id = "node"
            $0.resourceNamesSubscribe = ["a", "b"]
            $0.resourceNamesUnsubscribe = ["c"]
            $0.initialResourceVersions = ["d": "1", "e": "2"]
            $0.errorDetail.message = String(repeating: "no ", count: 10_000)
        }
        #expect(try scan(request, limit: 5).nameCount == 5)
        #expect(throws: RequestScan.Fault.tooLarge) { try scan(request, limit: 4) }
    }

    @Test(
        arguments: [
            ([0x0A, 0x05, 1], .malformed), ([0x80], .malformed), ([0x0B], .malformed), ([0x0D, 1, 2], .malformed),
            (Array(repeatElement([0x42, 0], count: 30_000).joined()), .tooLarge),
            // The fields of one entry, over and over.
            ([0x2A, 0xC0, 0xA9, 0x07] + Array(repeatElement([0x0A, 0], count: 60_000).joined()), .tooLarge),
            ([0x0A, 0x81, 0x80, 0x40] + Array(repeating: 0, count: 1 << 20 + 1), .tooLarge),
        ] as [([UInt8], RequestScan.Fault)])
    func refuses(bytes: [UInt8], fault: RequestScan.Fault) {
        #expect(throws: fault) { try RequestScan(bytes, .delta, nameLimit: 200_000) }
    }

    @Test func streamsShareALimitBeyondWhatEachMayHave() {
        let limits = StreamLimits(nameBytesPerStream: 1 << 20, nameBytes: 1 << 20)
        var (first, second, third) = (NameAccount(), NameAccount(), NameAccount())
        first.claim(count: 0, byteCount: 1 << 20, limits)
        #expect(first.isWithin(limits))
        second.claim(count: 1000, byteCount: 200_000, limits)
        #expect(!second.isWithin(limits))
        third.claim(count: 500, byteCount: 10_000, limits)
        #expect(third.isWithin(limits), "it is small")
        first.close(limits)
        #expect(second.isWithin(limits))
        #expect(second.isDue)
        second.count(0, limits)
        #expect(!second.isDue)
        second.claim(count: 20_000, byteCount: 0, limits)
        #expect(!second.isWithin(limits), "more than one stream may have")
    }

    @Test func endlessNamesEndTheStreamAndOnlyThat() async throws {
        try await TestPlane.with(limits: StreamLimits(namesPerRequest: 1000, nameBytesPerStream: 100_000)) { plane in
            try await plane.sync([call("a", port: 1000)], [envoyPod("envoy")])
            let good = try await plane.connect()
            try await good.send(listenerType, node: "default/envoy")
            #expect(try await good.response(0).resources.count == 1)

            let stream = try await plane.connect()
            try await stream.send(listenerType, node: "default/envoy") { $0.resourceNamesSubscribe = ["*"] }
            for number in 0..<3 {
                try await stream.send(listenerType) { $0.resourceNamesSubscribe = (0..<900).map { "\(number)-\($0)" } }
            }
            #expect(try await stream.status() == "8")

            let wide = try await plane.connect()
            try await wide.send(listenerType, node: "default/envoy") { $0.resourceNamesSubscribe = (0..<1001).map { "\($0)" } }
            #expect(try await wide.status() == "8")
            #expect(try await good.response(0).resources.count == 1)
        }
    }

    @Test func namesThatAreGivenUpMakeRoom() async throws {
        try await TestPlane.with(limits: StreamLimits(namesPerRequest: 1000, nameBytesPerStream: 400_000)) { plane in
            try await plane.sync([call("a", port: 1000)], [envoyPod("envoy")])
            let stream = try await plane.connect()
            try await stream.send(listenerType, node: "default/envoy") { $0.resourceNamesSubscribe = ["*"] }
            let names = (0..<500).map { "name-\($0)" }
            // More than the limit in all, and never more than it at once: what is given up is kept until the client was told of it.
            for number in 0..<6 {
                try await stream.send(listenerType) {
                    $0.resourceNamesSubscribe = names.map { "\($0)-\(number)" }
                    $0.resourceNamesUnsubscribe = names.map { "\($0)-\(number - 1)" }
                }
            }
            try await stream.send("type.googleapis.com/no.Such") { $0.resourceNamesSubscribe = ["last"] }
            try await stream.client.until { [id = stream.id] in
                $0.session.streams[id]?.messages.contains {
                    (try? TestStream.Response(serializedBytes: $0))?.removedResources == ["last"]
                } == true
            }
        }
    }

    @Test func aStreamThatNeverAsksEnds() async throws {
        try await TestPlane.with(limits: StreamLimits(requestTimeout: .milliseconds(50))) { plane in
            let stream = try await plane.connect()
            #expect(try await stream.status() == "4")
        }
    }
}
