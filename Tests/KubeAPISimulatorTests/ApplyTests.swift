import KubeAPISimulator
import Testing

struct ApplyTests {
    private let simulator: KubeAPISimulator

    init() throws {
        simulator = try startSimulator()
        try simulator.create(virtualService("a"))
    }

    private func condition(_ type: String, _ status: String) -> JSONValue {
        [
            "type": .string(type), "status": .string(status), "reason": "R", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        ]
    }

    @discardableResult
    private func apply(_ conditions: [JSONValue], by manager: String, force: Bool = false) -> (code: Int, body: JSONValue) {
        simulator.request(
            "PATCH", virtualServices + "/a/status?fieldManager=\(manager)\(force ? "&force=true" : "")",
            contentType: "application/apply-patch+yaml",
            body: [
                "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService", "metadata": ["name": "a"],
                "status": ["conditions": .array(conditions)],
            ])
    }

    private func types() -> [String] {
        (simulator.get("VirtualService", "a")?["status", "conditions"]?.elements ?? []).compactMap { $0["type"]?.text }
    }

    @Test func mergesConditionsOfSeveralManagers() {
        #expect(apply([condition("Accepted", "True"), condition("Programmed", "False")], by: "one").code == 200)
        #expect(apply([condition("Other", "True")], by: "two").code == 200)
        #expect(types() == ["Accepted", "Programmed", "Other"])
        let entries = simulator.get("VirtualService", "a")?["metadata", "managedFields"]?.elements ?? []
        let mine = entries.first { $0["manager"] == "two" }
        #expect(mine?["operation"] == "Apply")
        #expect(mine?["subresource"] == "status")
        #expect(mine?["fieldsV1", "f:status", "f:conditions", "k:{\"type\":\"Other\"}", "f:status"] == [:])
    }

    @Test func removesWhatAManagerStopsSending() {
        apply([condition("Accepted", "True"), condition("Programmed", "False")], by: "one")
        apply([condition("Other", "True")], by: "two")
        apply([condition("Accepted", "True")], by: "one")
        #expect(types() == ["Accepted", "Other"])
        apply([], by: "one")
        #expect(types() == ["Other"])
    }

    @Test func refusesConflictsUnlessForced() {
        apply([condition("Accepted", "True")], by: "one")
        let (code, status) = apply([condition("Accepted", "False")], by: "two")
        #expect(code == 409)
        #expect(status["reason"] == "Conflict")
        #expect(
            status["message"]?.text
                == "Apply failed with 1 conflict: conflict with \"one\" with subresource \"status\" using servicemesh.l7mp.io/v1: "
                + ".status.conditions[type=\"Accepted\"].status")
        #expect(status["details", "causes"]?[0]?["reason"] == "FieldManagerConflict")
        #expect(apply([condition("Accepted", "False")], by: "two", force: true).code == 200)
        // Equal values are owned together.
        #expect(apply([condition("Accepted", "False")], by: "one").code == 200)
        apply([], by: "two")
        #expect(types() == ["Accepted"])
    }

    @Test func takesFieldsFromUpdaters() throws {
        apply([condition("Accepted", "True")], by: "one")
        try simulator.patch(
            "VirtualService", "a", ["status": ["conditions": [condition("Accepted", "False")]]], subresource: "status")
        #expect(apply([condition("Accepted", "True")], by: "one").code == 409)
    }

    @Test func storesNothingWhenNothingChanges() {
        apply([condition("Accepted", "True")], by: "one")
        let version = simulator.resourceVersion
        #expect(apply([condition("Accepted", "True")], by: "one").code == 200)
        #expect(simulator.resourceVersion == version)
    }

    @Test func refusesFieldsThatTheDefinitionLacks() {
        let (code, status) = simulator.request(
            "PATCH", virtualServices + "/a/status?fieldManager=x&force=true", contentType: "application/apply-patch+yaml",
            body: [
                "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService", "metadata": ["name": "a"],
                "status": ["nonsense": 1],
            ])
        #expect(code == 500)
        #expect(status["message"]?.text?.hasSuffix(".status.nonsense: field not declared in schema") == true)
    }

    @Test func createsAndNeedsAManager() {
        var object = virtualService("b")
        #expect(
            simulator.request("PATCH", virtualServices + "/b", contentType: "application/apply-patch+yaml", body: object).code
                == 422)
        let created = simulator.request(
            "PATCH", virtualServices + "/b?fieldManager=x", contentType: "application/apply-patch+yaml", body: object)
        #expect(created.code == 201)
        #expect(created.body["metadata", "generation"] == 1)
        object["spec", "listeners"] = [listener("m")]
        let changed = simulator.request(
            "PATCH", virtualServices + "/b?fieldManager=x", contentType: "application/apply-patch+yaml", body: object)
        #expect(changed.body["spec", "listeners"]?.elements?.compactMap { $0["name"]?.text } == ["m"])
        #expect(changed.body["metadata", "generation"] == 2)
        let absent = simulator.request(
            "PATCH", virtualServices + "/none/status?fieldManager=x", contentType: "application/apply-patch+yaml",
            body: ["apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService", "metadata": ["name": "none"]])
        #expect(absent.code == 404)
    }
}
