import FoundationEssentials
import KubeAPISimulator
import TestKit
import Testing

struct ListTests {
    private let simulator: KubeAPISimulator

    init() throws {
        simulator = try startSimulator()
        for index in 0..<5 {
            try simulator.create(pod("p\(index)", labels: ["app": index < 2 ? "envoy" : "worker", "index": .string("\(index)")]))
        }
    }

    private func names(_ query: String) -> [String] {
        (simulator.request("GET", pods + "?" + query).body["items"]?.elements ?? []).compactMap { $0["metadata", "name"]?.text }
    }

    @Test(arguments: [
        ("", ["p0", "p1", "p2", "p3", "p4"]),
        ("labelSelector=app%3Denvoy", ["p0", "p1"]),
        ("labelSelector=app%3D%3Dworker,index!%3D3", ["p2", "p4"]),
        ("labelSelector=index+in+(1,2),app", ["p1", "p2"]),
        ("labelSelector=index+notin+(1,2),!none", ["p0", "p3", "p4"]),
        ("labelSelector=none", []),
        ("fieldSelector=metadata.name%3Dp3", ["p3"]),
        ("fieldSelector=metadata.name!%3Dp3,status.phase%3DPending", ["p0", "p1", "p2", "p4"]),
        ("fieldSelector=spec.nodeName%3D", ["p0", "p1", "p2", "p3", "p4"]),
    ])
    func selects(query: String, expected: [String]) {
        #expect(names(query) == expected)
    }

    @Test(arguments: ["labelSelector=a%3D%3D%3Db(", "fieldSelector=spec.foo%3Da", "continue=xyz", "resourceVersion=abc"])
    func refuses(query: String) {
        #expect(simulator.request("GET", pods + "?" + query).code == 400)
    }

    @Test func pagesThroughOneState() throws {
        let first = simulator.request("GET", pods + "?limit=2").body
        #expect(first["metadata", "remainingItemCount"] == 3)
        try simulator.delete("Pod", "p3")
        try simulator.create(pod("p21"))
        let token = first["metadata", "continue"]?.text ?? ""
        let second = simulator.request("GET", pods + "?limit=2&continue=\(token)").body
        #expect(second["items"]?.elements?.compactMap { $0["metadata", "name"]?.text } == ["p2", "p3"])
        #expect(second["metadata", "resourceVersion"] == first["metadata", "resourceVersion"])
        simulator.compact()
        let (code, status) = simulator.request("GET", pods + "?limit=2&continue=\(second["metadata", "continue"]?.text ?? "")")
        #expect(code == 410)
        #expect(status["reason"] == "Expired")
        let inconsistent = status["metadata", "continue"]?.text ?? ""
        #expect(names("continue=\(inconsistent)") == ["p4"])
    }

    @Test func listsAtVersions() throws {
        let version = simulator.resourceVersion
        try simulator.delete("Pod", "p0")
        #expect(names("resourceVersion=\(version)&resourceVersionMatch=Exact").count == 5)
        #expect(names("resourceVersion=\(version)&resourceVersionMatch=NotOlderThan").count == 4)
        #expect(names("resourceVersion=0").count == 4)
        let (code, status) = simulator.request("GET", pods + "?resourceVersion=999999")
        #expect(code == 504)
        #expect(status["details", "causes"]?[0]?["reason"] == "ResourceVersionTooLarge")
        simulator.compact()
        #expect(simulator.request("GET", pods + "?resourceVersion=\(version)&resourceVersionMatch=Exact").code == 410)
    }

    @Test func omitsTypesOfItemsOfBuiltInListsOnly() throws {
        try simulator.create(virtualService("a"))
        #expect(simulator.request("GET", pods).body["items"]?[0]?["kind"] == nil)
        #expect(simulator.request("GET", virtualServices).body["items"]?[0]?["kind"] == "VirtualService")
    }
}
