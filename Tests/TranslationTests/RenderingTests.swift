import Domain
import EnvoyAPI
import Foundation
import Rendering
import SwiftProtobuf
import Testing
import Translation
import XDS
import Yams

@Suite struct RenderingTests {
    /// Text that YAML readers could take for something else, in a field that must stay a string.
    @Test(arguments: [
        "plain", "192.0.2.1", "1.2.3.x", "0.500s", "1s", "1.2", "no", "Yes", "null", "~", "true", "y", "1", "1.5", "1e3", "0x1f",
        "0o7", "1_000", "12:30:45", ".inf", "-", "- a",
        "a: b", "#a",
        "a #b", "", " a", "a ", "'", "\"", "\\", "line\nbreak", "tab\t", "é😀", "\u{2028}", "{}", "[a]", "&a", "*a", "!a",
        "2024-01-01", "a/b.c-d_e",
        "=", "<<", "%a", "@a", "`a", "|", ">",
    ])
    func stringsStayStrings(_ text: String) throws {
        let intent = try listener(cluster: cluster(.eds, ["app=a"], hashKey: text))
        let resource = try #require(Translator().listener(intent))
        let yaml = try ResourceRendering.yaml(resource)
        let tree = try #require(Yams.load(yaml: yaml) as? [String: Any])
        let json = try #require(JSONSerialization.jsonObject(with: Data(ResourceRendering.json(resource).utf8)) as? [String: Any])
        #expect(tree as NSDictionary == json as NSDictionary, "\(yaml)")
        #expect(yaml.contains("key: "))
    }

    /// The text says all that the bytes say.
    @Test(arguments: GoldenCase.all) func jsonReadsBackAsTheSameMessage(_ golden: GoldenCase) throws {
        let resources = try golden.resources()
        for resource in resources.listeners + resources.clusters + resources.endpoints {
            let any = try Google_Protobuf_Any(jsonString: ResourceRendering.json(resource))
            switch resource.type {
            case .listener:
                let message = try Envoy_Config_Listener_V3_Listener(unpackingAny: any)
                let address = try resource.decoded(as: Envoy_Config_Listener_V3_Listener.self).address
                #expect(message.name == resource.name)
                #expect(message.address == address)
            case .cluster: #expect(try Envoy_Config_Cluster_V3_Cluster(unpackingAny: any) == resource.decoded())
            case .endpoint: #expect(try Envoy_Config_Endpoint_V3_ClusterLoadAssignment(unpackingAny: any) == resource.decoded())
            }
        }
    }

    @Test func listsOfNoneOneAndTwo() throws {
        let resource = try Translator().cluster(cluster(.eds, ["app=a"]), endpoints: [])
        #expect(try ResourceRendering.yaml([EncodedResource]()) == "[]\n")
        #expect(try ResourceRendering.json([EncodedResource]()) == "[]\n")
        let list = try #require(Yams.load(yaml: ResourceRendering.yaml([resource, resource])) as? [Any])
        #expect(list.count == 2)
        let json = try JSONSerialization.jsonObject(with: Data(ResourceRendering.json([resource, resource]).utf8))
        #expect((json as? [Any])?.count == 2)
        #expect(
            try ResourceRendering.yaml(resource).hasPrefix(
                "\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: c\n"))
    }

    @Test func bytesThatAreNoMessageAreAnError() {
        let resource = EncodedResource(type: .cluster, name: "c", payload: [0xff, 0xff, 0xff])
        #expect(throws: (any Error).self) { try ResourceRendering.json(resource) }
        #expect(throws: (any Error).self) { try ResourceRendering.yaml([resource]) }
    }
}
