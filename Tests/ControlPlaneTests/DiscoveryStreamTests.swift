import Domain
import EnvoyAPI
import GRPC
import Kubernetes
import RPCTestClient
import Testing

@testable import ControlPlane

/// The control plane as a client sees it, over loopback.
@Suite struct DiscoveryStreamTests {
    @Test func nothingIsServedBeforeEverythingIsKnown() async throws {
        try await TestPlane.with { plane in
            await plane.pods.receive(.restarted)
            await plane.pods.receive(.applied(envoyPod("e")))
            await plane.pods.receive(.synced)
            let stream = try await plane.connect()
            try await stream.send(clusterType, node: "uid-e")
            // The objects come last; an answer before would have been without them.
            await plane.virtualServices.receive(.restarted)
            await plane.virtualServices.receive(.applied(try call("a", port: 1000)))
            await plane.virtualServices.receive(.synced)
            #expect(try await stream.response(0).resources.map(\.name) == ["c-a"])
        }
    }

    @Test(arguments: ["uid-e", "default/e"]) func aStreamWaitsForItsPod(node: String) async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("other")])
            let early = try await plane.connect()
            try await early.send(clusterType, node: node)
            // A later client of a known pod is answered first.
            let known = try await plane.connect()
            try await known.send(clusterType, node: "uid-other")
            #expect(try await known.response(0).resources.map(\.name) == ["c-a"])
            #expect(await early.responseCount() == 0)
            await plane.pods.receive(.applied(envoyPod("e")))
            #expect(try await early.response(0).resources.map(\.name) == ["c-a"])
        }
    }

    @Test func aKnownPodThatNothingSelectsGetsAnEmptyAnswer() async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e", labels: ["app": "other"])])
            let stream = try await plane.connect()
            try await stream.send(clusterType, node: "uid-e")
            #expect(try await stream.response(0).resources.isEmpty)
            await plane.pods.receive(.applied(envoyPod("e")))
            #expect(try await stream.response(1).resources.map(\.name) == ["c-a"])
            await plane.pods.receive(.applied(envoyPod("e", labels: [:])))
            #expect(try await stream.response(2).removedResources == ["c-a"])
        }
    }

    @Test func everyStreamOfAGroupGetsAChange() async throws {
        try await TestPlane.with { plane in
            await plane.sync([], (0..<20).map { envoyPod("e\($0)") })
            var streams: [TestStream] = []
            for number in 0..<20 {
                let stream = try await plane.connect()
                try await stream.send(listenerType, node: "uid-e\(number)")
                #expect(try await stream.response(0).resources.isEmpty)
                streams.append(stream)
            }
            await plane.virtualServices.receive(.applied(try call("a", port: 1000)))
            for stream in streams { #expect(try await stream.response(1).resources.map(\.name) == ["l-a"]) }
            await plane.virtualServices.receive(.deleted(ObjectKey(namespace: "default", name: "a")))
            for stream in streams { #expect(try await stream.response(2).removedResources == ["l-a"]) }
            #expect(plane.metrics.pushCount == 60)
            #expect(plane.metrics.openStreams == 20)
        }
    }

    @Test func aReturningClientIsSentOnlyWhatIsNew() async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000), try call("b", port: 1001)], [envoyPod("e")])
            let first = try await plane.connect()
            try await first.send(listenerType, node: "uid-e")
            var versions: [String: String] = [:]
            for resource in try await first.response(0).resources { versions[resource.name] = resource.version }
            versions["l-b"] = "another"
            versions["l-gone"] = "1"
            await first.client.close()
            let second = try await plane.connect()
            try await second.send(listenerType, node: "uid-e") { $0.initialResourceVersions = versions }
            let response = try await second.response(0)
            #expect(response.resources.map(\.name) == ["l-b"])
            #expect(response.removedResources == ["l-gone"])
        }
    }

    @Test func anUnknownTypeIsAnsweredAndTheStreamLives() async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e")])
            let stream = try await plane.connect()
            try await stream.send("type.googleapis.com/x.Secret", node: "uid-e") { $0.resourceNamesSubscribe = ["s"] }
            #expect(try await stream.response(0).removedResources == ["s"])
            try await stream.send(clusterType)
            #expect(try await stream.response(1).resources.map(\.name) == ["c-a"])
        }
    }

    @Test func aRequestWithoutNodeEndsThatStreamOnly() async throws {
        try await TestPlane.with { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e")])
            let good = try await plane.connect()
            let bad = TestStream(client: good.client, id: await good.client.open(TestPlane.deltaPath))
            try await bad.send(clusterType)
            #expect(try await bad.status() == "\(Status.Code.invalidArgument.rawValue)")
            try await good.send(clusterType, node: "uid-e")
            #expect(try await good.response(0).resources.map(\.name) == ["c-a"])
        }
    }

    @Test func whatIsNoRequestEndsThatStreamOnly() async throws {
        try await TestPlane.with { plane in
            await plane.sync([], [envoyPod("e")])
            let stream = try await plane.connect()
            await stream.client.perform { [id = stream.id] in $0.send(id, [0xFF, 0xFF, 0xFF]) }
            #expect(try await stream.status() == "\(Status.Code.invalidArgument.rawValue)")
        }
    }

    @Test func anUnknownMethodIsUnimplemented() async throws {
        try await TestPlane.with { plane in
            let stream = try await plane.connect("/envoy.service.discovery.v3.NoService/NoMethod")
            #expect(try await stream.status() == "\(Status.Code.unimplemented.rawValue)")
        }
    }

    /// Another process leaves its port without any change that would tell.
    @Test func aListenerWhoseAddressWasTakenIsSentAgainAfterAPause() async throws {
        try await TestPlane.with(limits: StreamLimits(addressPause: .milliseconds(20))) { plane in
            await plane.sync([try call("a", port: 1000)], [envoyPod("e")])
            let stream = try await plane.connect()
            try await stream.send(listenerType, node: "uid-e")
            for number in 0..<3 {
                let response = try await stream.response(number)
                #expect(response.resources.map(\.name) == ["l-a"])
                try await stream.send(listenerType) {
                    $0.responseNonce = response.nonce
                    $0.errorDetail.message =
                        "Error adding/updating listener(s) l-a: cannot bind '0.0.0.0:1000': Address already in use"
                }
            }
            let taken = try await stream.response(3)
            try await stream.send(listenerType) { $0.responseNonce = taken.nonce }
            // The next response is the next change's: what was taken is not sent again.
            await plane.virtualServices.receive(.applied(try call("b", port: 1001)))
            #expect(try await stream.response(4).resources.map(\.name) == ["l-b"])
        }
    }
}
