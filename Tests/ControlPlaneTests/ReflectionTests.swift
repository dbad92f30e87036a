import EnvoyAPI
import GRPC
import SwiftProtobuf
import Testing
import Transport

@testable import ControlPlane

@Suite struct ReflectionTests {
    /// Whatever the protos declare is served: reflection promises nothing that is not there.
    @Test func everyDeclaredMethodIsServed() {
        #expect(ReflectionIndex.embedded.methods.count >= 15)
        for path in ReflectionIndex.embedded.methods { #expect(ServedMethod(path: path) != nil, "\(path)") }
    }

    @Test func servicesAreNamed() {
        #expect(ReflectionIndex.embedded.services.contains("envoy.service.status.v3.ClientStatusDiscoveryService"))
        #expect(ReflectionIndex.embedded.services == ReflectionIndex.embedded.services.sorted())
    }

    @Test(arguments: [
        "envoy.config.core.v3.Node", "envoy.config.core.v3.Node.id", "envoy.config.core.v3.SocketAddress.Protocol",
        "envoy.config.core.v3.SocketAddress.UDP", "envoy.service.discovery.v3.AggregatedDiscoveryService",
        "envoy.service.discovery.v3.AggregatedDiscoveryService.DeltaAggregatedResources", "google.protobuf.Any",
        "envoy.service.discovery.v3.DeltaDiscoveryRequest.InitialResourceVersionsEntry",
    ])
    func aSymbolLeadsToItsFileAndAllItImports(symbol: String) throws {
        let files = try #require(ReflectionIndex.embedded.closure(ofSymbol: symbol))
        let descriptors = try files.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0) }
        let names = Set(descriptors.map(\.name))
        #expect(names.count == files.count)
        for descriptor in descriptors { #expect(names.isSuperset(of: descriptor.dependency)) }
        #expect(symbol.hasPrefix(try #require(descriptors.first).package))
    }

    @Test func whatIsNotThereIsNotFound() {
        #expect(ReflectionIndex.embedded.closure(ofSymbol: "nobody") == nil)
        #expect(ReflectionIndex.embedded.closure(ofFile: "nobody.proto") == nil)
        #expect(ReflectionIndex([0xFF]).services.isEmpty)
    }

    /// A client that asks on and on without reading is refused before its answers fill the memory.
    @Test func aClientThatDoesNotReadIsEnded() async throws {
        let loop = try EventLoop(name: "test")
        let responder = IdleResponder(loop)
        let stream = ReflectionStream(responder: responder)
        let request = Grpc_Reflection_V1_ServerReflectionRequest.with {
            $0.fileContainingSymbol = "envoy.config.cluster.v3.Cluster"
        }
        let bytes: [UInt8] = try request.serializedBytes()
        await loop.perform { for _ in 0..<1000 { stream.received(bytes) } }
        #expect(await loop.perform { responder.status?.code } == .resourceExhausted)
        #expect(await loop.perform { responder.pendingByteCount } < 2 << 20)
        #expect(await loop.perform { responder.sent } < 1000)
    }
}
