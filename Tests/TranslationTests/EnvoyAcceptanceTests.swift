import Foundation
import Testing
import XDS

/// What the real Envoy says of the resources, wrapped as static ones. It fails when Envoy is missing.
@Suite struct EnvoyAcceptanceTests {
    /// One Envoy for all cases: names and ports are made distinct first.
    @Test func everyGoldenCaseIsValid() throws {
        var bootstrap = StaticBootstrap()
        for golden in GoldenCase.all { try bootstrap.add(golden.resources(), prefix: golden.name) }
        #expect(bootstrap.listeners.count > 20)
        let (status, output) = try validate(
            bootstrap: bootstrap.json(), arguments: ["--service-node", "n", "--service-cluster", "c"])
        #expect(status == 0, "\(output)")
        #expect(output.contains("OK"))
        // Nothing is deprecated, and the one warning is known: the plain cluster, which is, has no other successor.
        let warnings = output.split(separator: "\n").filter { $0.contains("[warning]") }
        let known = "UdpProxyConfig.matcher' is marked as work-in-progress"
        #expect(warnings.allSatisfy { $0.contains(known) }, "\(output)")
    }

    /// The check does reject what is wrong.
    @Test func invalidResourcesAreRejected() throws {
        var bootstrap = StaticBootstrap()
        var resources = GoldenResources()
        resources.listeners = [EncodedResource(type: .listener, name: "nameless", payload: [])]
        try bootstrap.add(resources, prefix: "wrong")
        let (status, output) = try validate(
            bootstrap: bootstrap.json(), arguments: ["--service-node", "n", "--service-cluster", "c"])
        #expect(status != 0, "\(output)")
    }
}
