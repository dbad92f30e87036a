import Domain
import EnvoyAPI
import Resolution
import SwiftProtobuf
import Testing
import Translation
import XDS

@Suite struct EndpointTests {
    typealias Assignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment

    private func assignment(_ endpoints: [ResolvedEndpoint], check: Duration? = nil) throws -> Assignment {
        let resource = try Translator().assignment(cluster(.eds, ["app=a"], check: check), endpoints: endpoints)
        return try #require(resource).decoded()
    }

    private func hosts(_ endpoints: [ResolvedEndpoint], check: Duration? = nil) throws -> [String] {
        try assignment(endpoints, check: check).endpoints.flatMap(\.lbEndpoints).map {
            let socket = $0.endpoint.address.socketAddress
            let port = $0.endpoint.healthCheckConfig.portValue
            let check = port == 0 ? "" : " check \(port)"
            return "\(socket.address) \(socket.portValue) \($0.healthStatus)\(check)"
        }
    }

    @Test func hostsAreSortedAndDistinct() throws {
        let endpoints = try [
            endpoint("2001:db8::1"), endpoint("192.0.2.9", 5001), endpoint("192.0.2.9"), endpoint("192.0.2.10"),
            endpoint("192.0.2.9"),
        ]
        let expected = [
            "192.0.2.10 5000 unknown", "192.0.2.9 5000 unknown", "192.0.2.9 5001 unknown", "2001:db8::1 5000 unknown",
        ]
        #expect(try hosts(endpoints) == expected)
        #expect(try hosts(endpoints.reversed()) == expected)
    }

    @Test func theHealthierOfTwoEqualsWins() throws {
        let endpoints = try [
            endpoint("192.0.2.1", health: .unhealthy), endpoint("192.0.2.1", health: .degraded),
            endpoint("192.0.2.2", health: .degraded),
            endpoint("192.0.2.2"), endpoint("192.0.2.3", health: .unhealthy),
        ]
        let expected = ["192.0.2.1 5000 degraded", "192.0.2.2 5000 unknown", "192.0.2.3 5000 unhealthy"]
        #expect(try hosts(endpoints) == expected)
        #expect(try hosts(endpoints.reversed()) == expected)
    }

    /// Assignments are written without messages; a version is a digest of the bytes, so these must be what a message would be.
    @Test(arguments: 0..<8) func bytesAreThoseOfTheMessage(variant: Int) throws {
        let check: Duration? = variant & 1 == 0 ? nil : .seconds(1)
        let port: Int? = variant & 2 == 0 ? nil : 1233
        let endpoints = try (0..<[0, 1, 2, 40][variant / 2]).map { index in
            try endpoint(
                index % 3 == 2 ? "2001:db8::\(index)" : "192.0.2.\(index)", index * 1600 + 1, check: port,
                health: [.healthy, .degraded, .unhealthy][index % 3])
        }
        let resource = try #require(
            try Translator().assignment(cluster(.eds, ["app=a"], check: check), endpoints: endpoints))
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let message: Assignment = try resource.decoded()
        #expect(message.unknownFields.data.isEmpty)
        #expect(message.endpoints.flatMap(\.lbEndpoints).count == endpoints.count)
        let bytes: [UInt8] = try message.serializedBytes(options: options)
        let response = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: resource.deltaField)
        #expect(Array(response.resources[0].resource.value) == bytes)
    }

    @Test func healthCheckPortIsSentWhereItMatters() throws {
        let endpoints = try [
            endpoint("192.0.2.1", check: 1233), endpoint("192.0.2.2", check: 5000), endpoint("192.0.2.3"),
            endpoint("192.0.2.4", check: 1234), endpoint("192.0.2.4", check: 1233),
        ]
        let checked = [
            "192.0.2.1 5000 unknown check 1233", "192.0.2.2 5000 unknown", "192.0.2.3 5000 unknown",
            "192.0.2.4 5000 unknown check 1233",
        ]
        #expect(try hosts(endpoints, check: .seconds(1)) == checked)
        #expect(try hosts(endpoints.reversed(), check: .seconds(1)) == checked)
        #expect(try hosts(endpoints).allSatisfy { $0.hasSuffix("unknown") })
    }

    /// Clusters that differ in their ports choose the same host, because they hash the address without it.
    @Test func hostsAreHashedByAddress() throws {
        let rtp = try assignment([endpoint("192.0.2.1", 30000), endpoint("192.0.2.2", 30000)])
        let rtcp = try assignment([endpoint("192.0.2.1", 30001), endpoint("192.0.2.2", 30001)])
        func keys(_ assignment: Assignment) -> [String?] {
            assignment.endpoints[0].lbEndpoints.map { $0.metadata.filterMetadata["envoy.lb"]?.fields["hash_key"]?.stringValue }
        }
        #expect(keys(rtp) == ["192.0.2.1", "192.0.2.2"])
        #expect(keys(rtp) == keys(rtcp))
    }

    @Test func noHostsAreAnAssignmentToo() throws {
        let resource = try #require(Translator().assignment(cluster(.eds, ["app=a"]), endpoints: []))
        #expect(resource.type == .endpoint)
        #expect(resource.name == "c")
        #expect(try resource.decoded() == Assignment.with { $0.clusterName = "c" })
    }

    @Test func namesAreNeverSentByEDS() throws {
        #expect(try hosts([endpoint("host.example"), endpoint("192.0.2.1")]) == ["192.0.2.1 5000 unknown"])
        #expect(try assignment([endpoint("host.example")]).endpoints.isEmpty)
    }

    /// Names are told apart by themselves; the addresses behind a single one by what Envoy finds.
    @Test(arguments: [
        (["a.example"], [nil]), (["a.example", "b.example"], ["a.example", "b.example"]),
        (["192.0.2.1", "a.example"], ["192.0.2.1", "a.example"]),
    ])
    func namesAreHashedWhenThereAreOthers(_ hosts: [String], expected: [String?]) throws {
        let resource = try Translator().cluster(cluster(.strictDNS, ["a.example"]), endpoints: hosts.map { try endpoint($0) })
        let message = try resource.decoded(as: Envoy_Config_Cluster_V3_Cluster.self)
        let keys = message.loadAssignment.endpoints[0].lbEndpoints.map {
            $0.metadata.filterMetadata["envoy.lb"]?.fields["hash_key"]?.stringValue
        }
        #expect(keys == expected)
    }
}
