import FoundationEssentials
import Testing

@Suite struct WireConformanceTests {
    /// Needs the official descriptors; fails without them.
    @Test func protosAgreeWithTheOfficialDescriptors() throws {
        let script = Tool.packageRoot.appending(path: "Tests/Conformance/check_descriptors.py").path()
        let (status, output) = try Tool.python.run([script])
        #expect(status == 0, "\(output)")
        #expect(output.contains("agrees: "))
    }

    /// The comparison finds each kind of difference.
    @Test func differencesAreFound() throws {
        let script = Tool.packageRoot.appending(path: "Tests/Conformance/check_descriptors.py").path()
        let protos = Tool.packageRoot.appending(path: "Tests/Conformance/Wrong").path()
        let (status, output) = try Tool.python.run([script, protos])
        #expect(status == 1)
        for difference in [
            "envoy.config.core.v3.SocketAddress.protocol: number is 9, officially 1",
            "envoy.config.core.v3.SocketAddress.address: type is 12, officially 9",
            "envoy.config.core.v3.SocketAddress.port_value: oneof is None, officially 'port_specifier'",
            "envoy.config.core.v3.SocketAddress.resolver_name: label is 3, officially 1",
            "envoy.config.core.v3.SocketAddress.ipv4_compat: JSON name is 'v4', officially 'ipv4Compat'",
            "envoy.config.core.v3.SocketAddress.invented: no such field in the official API",
            "envoy.config.core.v3.SocketAddress.Protocol.UDP: number is 2, officially 1",
            "envoy.config.core.v3.Invented: no such message in the official API",
            "envoy.config.core.v3.Direction: no such enum in the official API",
            "invented.proto: no such file in the official API",
            "AggregatedDiscoveryService.StreamAggregatedResources: server_streaming is False, officially True",
        ] {
            #expect(output.contains(difference), "\(output)")
        }
    }
}
