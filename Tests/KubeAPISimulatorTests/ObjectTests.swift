import FoundationEssentials
import KubeAPISimulator
import TestKit
import Testing

struct ObjectTests {
    @Test func createsOnceAndUpdatesTheLatestOnly() throws {
        let simulator = try startSimulator()
        let created = try simulator.create(virtualService("a"))
        #expect(created["metadata", "uid"]?.text?.count == 36)
        #expect(created["metadata", "creationTimestamp"]?.text?.count == 20)
        let again = simulator.request("POST", virtualServices, body: virtualService("a"))
        #expect(again.code == 409)
        #expect(again.body["reason"] == "AlreadyExists")
        try simulator.patch("VirtualService", "a", ["metadata": ["labels": ["x": "y"]]])
        let stale = simulator.request("PUT", virtualServices + "/a", body: created)
        #expect(stale.code == 409)
        #expect(stale.body["reason"] == "Conflict")
        let stalePatch: JSONValue = ["metadata": ["resourceVersion": created["metadata", "resourceVersion"] ?? ""]]
        #expect(
            simulator.request("PATCH", virtualServices + "/a", contentType: "application/merge-patch+json", body: stalePatch).code
                == 409)
    }

    @Test func makesUpNames() throws {
        let simulator = try startSimulator()
        var object = virtualService("")
        object["metadata", "name"] = nil
        #expect(simulator.request("POST", virtualServices, body: object).code == 422)
        object["metadata", "generateName"] = "call-"
        let name = try simulator.create(object)["metadata", "name"]?.text ?? ""
        #expect(name.hasPrefix("call-") && name.count == 10)
    }

    @Test(arguments: ["POST", "PUT"])
    func refusesWhatThePathContradicts(method: String) throws {
        let simulator = try startSimulator()
        try simulator.create(virtualService("a"))
        var object = virtualService("a")
        object["metadata", "namespace"] = "other"
        let path = virtualServices + (method == "PUT" ? "/a" : "")
        #expect(simulator.request(method, path, body: object).code == 400)
        #expect(simulator.request(method, path.replacing("/default/", with: "/none/"), body: virtualService("a")).code >= 400)
    }

    @Test func holdsWhatFinalizersHold() throws {
        let simulator = try startSimulator()
        var object = virtualService("a")
        object["metadata", "finalizers"] = ["l7mp.io/delete"]
        try simulator.create(object)
        try simulator.delete("VirtualService", "a")
        let held = simulator.get("VirtualService", "a")
        #expect(held?["metadata", "deletionTimestamp"] != nil)
        #expect(held?["metadata", "generation"] == 2)
        try simulator.delete("VirtualService", "a")
        #expect(simulator.get("VirtualService", "a")?["metadata", "deletionTimestamp"] == held?["metadata", "deletionTimestamp"])
        let added: JSONValue = ["metadata": ["finalizers": ["l7mp.io/delete", "other/one"]]]
        #expect(throws: StatusError.self) { try simulator.patch("VirtualService", "a", added) }
        let removal: JSONValue = [
            ["op": "test", "path": "/metadata/finalizers/0", "value": "l7mp.io/delete"],
            ["op": "remove", "path": "/metadata/finalizers/0"],
        ]
        #expect(
            simulator.request("PATCH", virtualServices + "/a", contentType: "application/json-patch+json", body: removal).code
                == 200)
        #expect(simulator.get("VirtualService", "a") == nil)
    }

    @Test func keepsPodsOfNodesUntilTheirKubeletIsDone() throws {
        let simulator = try startSimulator()
        try simulator.create(pod("loose"))
        try simulator.create(pod("bound", node: "n"))
        try simulator.delete("Pod", "loose")
        try simulator.delete("Pod", "bound")
        #expect(simulator.get("Pod", "loose") == nil)
        #expect(simulator.get("Pod", "bound")?["metadata", "deletionGracePeriodSeconds"] == 30)
        try simulator.delete("Pod", "bound", gracePeriodSeconds: 0)
        #expect(simulator.get("Pod", "bound") == nil)
    }

    @Test func emptiesNamespaces() throws {
        let simulator = try startSimulator()
        try simulator.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "calls"]])
        var object = virtualService("a")
        object["metadata", "namespace"] = "calls"
        object["metadata", "finalizers"] = ["x/y"]
        try simulator.create(object)
        try simulator.delete("Namespace", "calls")
        #expect(simulator.get("Namespace", "calls")?["status", "phase"] == "Terminating")
        var other = virtualService("b")
        other["metadata", "namespace"] = "calls"
        let path = "/apis/servicemesh.l7mp.io/v1/namespaces/calls/virtualservices"
        #expect(simulator.request("POST", path, body: other).code == 403)
        try simulator.patch("VirtualService", "a", namespace: "calls", ["metadata": ["finalizers": .null]])
        #expect(simulator.get("Namespace", "calls") == nil)
    }

    @Test func servesEventsInBothForms() throws {
        let simulator = try startSimulator()
        let event: JSONValue = [
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "e", "namespace": "default"], "note": "hello",
            "reason": "Rejected", "type": "Warning", "action": "Translate", "reportingController": "l7mp.io/xds-operator",
            "reportingInstance": "one", "eventTime": "2026-01-01T00:00:00.000000Z",
            "regarding": ["kind": "VirtualService", "name": "a", "namespace": "default"],
        ]
        #expect(simulator.request("POST", "/apis/events.k8s.io/v1/namespaces/default/events", body: event).code == 201)
        let core = simulator.request("GET", "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Da").body
        #expect(core["items"]?[0]?["message"] == "hello")
        #expect(core["items"]?[0]?["involvedObject", "kind"] == "VirtualService")
        let list = simulator.request("GET", "/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Da").body
        #expect(list["items"]?[0]?["note"] == "hello")
    }

    @Test func dryRunsStoreNothing() throws {
        let simulator = try startSimulator()
        #expect(simulator.request("POST", pods + "?dryRun=All", body: pod("a")).code == 201)
        #expect(simulator.get("Pod", "a") == nil)
    }

    @Test func deniesAndAuthenticates() async throws {
        let simulator = try startSimulator(token: "secret")
        simulator.allow(token: "other", user: "operator")
        simulator.deny([Denial(verb: "list", resource: "pods", user: "operator")])
        let stranger = try StreamClient(simulator.address, "/api/v1/pods", headers: ["Connection": "close"])
        #expect(try await stranger.waitForClose().hasPrefix("HTTP/1.1 401 "))
        let denied = try StreamClient(
            simulator.address, "/api/v1/pods", headers: ["Authorization": "Bearer other", "Connection": "close"])
        let text = try await denied.waitForClose()
        #expect(text.hasPrefix("HTTP/1.1 403 "))
        #expect(
            text.contains(
                #"pods is forbidden: User \"operator\" cannot list resource \"pods\" in API group \"\" at the cluster scope"#))
        let welcome = try StreamClient(
            simulator.address, "/api/v1/pods", headers: ["Authorization": "Bearer secret", "Connection": "close"])
        #expect(try await welcome.waitForClose().hasPrefix("HTTP/1.1 200 "))
        #expect(simulator.requests.value.count(verb: "list", resource: "pods", status: 403) == 1)
    }
}
