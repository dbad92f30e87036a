import KubeAPISimulator
import Testing

struct PatchTests {
    private func patched(_ contentType: String, _ patch: JSONValue, of labels: JSONValue) throws -> (Int, JSONValue?) {
        let simulator = try startSimulator()
        try simulator.create(pod("a", labels: labels))
        let (code, body) = simulator.request("PATCH", pods + "/a", contentType: contentType, body: patch)
        return (code, body["metadata", "labels"])
    }

    @Test func mergesByNullAndMember() throws {
        let (code, labels) = try patched(
            "application/merge-patch+json", ["metadata": ["labels": ["a": .null, "b": "2"]]], of: ["a": "1", "c": "3"])
        #expect(code == 200)
        #expect(labels == ["b": "2", "c": "3"])
    }

    @Test(arguments: [
        ("[{\"op\":\"add\",\"path\":\"/metadata/labels/b\",\"value\":\"2\"}]", 200, "{\"a\":\"1\",\"b\":\"2\",\"x/y\":\"3\"}"),
        ("[{\"op\":\"remove\",\"path\":\"/metadata/labels/x~1y\"}]", 200, "{\"a\":\"1\"}"),
        ("[{\"op\":\"replace\",\"path\":\"/metadata/labels/a\",\"value\":\"9\"}]", 200, "{\"a\":\"9\",\"x/y\":\"3\"}"),
        (
            "[{\"op\":\"test\",\"path\":\"/metadata/labels/a\",\"value\":\"1\"},{\"op\":\"move\",\"from\":\"/metadata/labels/a\",\"path\":\"/metadata/labels/b\"}]",
            200, "{\"b\":\"1\",\"x/y\":\"3\"}"
        ),
        (
            "[{\"op\":\"copy\",\"from\":\"/metadata/labels/a\",\"path\":\"/metadata/labels/b\"}]", 200,
            "{\"a\":\"1\",\"b\":\"1\",\"x/y\":\"3\"}"
        ),
        ("[{\"op\":\"test\",\"path\":\"/metadata/labels/a\",\"value\":\"2\"}]", 422, nil),
        ("[{\"op\":\"remove\",\"path\":\"/metadata/labels/none\"}]", 422, nil),
        ("{\"op\":\"remove\"}", 400, nil),
    ])
    func appliesJSONPatches(patch: String, code: Int, labels: String?) throws {
        let answer = try patched("application/json-patch+json", JSONValue(parsing: patch.utf8), of: ["a": "1", "x/y": "3"])
        #expect(answer.0 == code)
        #expect(answer.1?.encodedText == labels)
    }

    @Test func mergesListsOfBuiltInTypesByKey() throws {
        let simulator = try startSimulator()
        try simulator.create(pod("a"))
        let type = "application/strategic-merge-patch+json"
        for (name, status) in [("Ready", "False"), ("Initialized", "True"), ("Ready", "True")] {
            let patch: JSONValue = ["status": ["conditions": [["type": .string(name), "status": .string(status)]]]]
            #expect(simulator.request("PATCH", pods + "/a/status", contentType: type, body: patch).code == 200)
        }
        let conditions = simulator.get("Pod", "a")?["status", "conditions"]
        #expect(conditions == [["type": "Ready", "status": "True"], ["type": "Initialized", "status": "True"]])
        let delete: JSONValue = ["status": ["conditions": [["type": "Ready", "$patch": "delete"]]]]
        simulator.request("PATCH", pods + "/a/status", contentType: type, body: delete)
        #expect(simulator.get("Pod", "a")?["status", "conditions"] == [["type": "Initialized", "status": "True"]])
        try simulator.create(virtualService("v"))
        #expect(simulator.request("PATCH", virtualServices + "/v", contentType: type, body: [:]).code == 415)
    }

    @Test func countsGenerationsBySpecAlone() throws {
        let simulator = try startSimulator()
        try simulator.create(virtualService("a"))
        func generation() -> JSONValue? { simulator.get("VirtualService", "a")?["metadata", "generation"] }
        try simulator.patch("VirtualService", "a", ["metadata": ["labels": ["x": "y"]], "status": ["envoys": "9"]])
        #expect(generation() == 1)
        #expect(simulator.get("VirtualService", "a")?["status"] == nil)
        try simulator.patch("VirtualService", "a", ["spec": ["selector": ["x": "y"]]])
        #expect(generation() == 2)
        try simulator.patch(
            "VirtualService", "a", ["spec": ["selector": ["no": "t"]], "status": ["envoys": "1/1"]], subresource: "status")
        #expect(generation() == 2)
        #expect(simulator.get("VirtualService", "a")?["status", "envoys"] == "1/1")
        #expect(simulator.get("VirtualService", "a")?["spec", "selector", "no"] == nil)
    }

    @Test func storesNothingWhenNothingChanges() throws {
        let simulator = try startSimulator()
        try simulator.create(virtualService("a"))
        let version = simulator.resourceVersion
        try simulator.patch("VirtualService", "a", ["spec": ["selector": ["app": "envoy"]]])
        #expect(simulator.resourceVersion == version)
    }
}
