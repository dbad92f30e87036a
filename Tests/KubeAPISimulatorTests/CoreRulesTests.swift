import KubeAPISimulator
import TestKit
import Testing

/// What kube-apiserver refuses of built-in objects, so that a client which writes that is noticed here.
struct CoreRulesTests {
    private static let events = "/apis/events.k8s.io/v1/namespaces/default/events"
    private static let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"

    private static let event: JSONValue = [
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "e", "namespace": "default"], "note": "hello",
        "reason": "Rejected", "type": "Warning", "action": "Translate", "reportingController": "l7mp.io/xds-operator",
        "reportingInstance": "one", "eventTime": "2026-01-01T00:00:00.000000Z",
        "regarding": ["kind": "VirtualService", "name": "a", "namespace": "default"],
    ]

    @Test(
        arguments: [
            ("eventTime", .null, "eventTime: Required value"), ("type", "Bad", "has invalid value: Bad"),
            ("reason", "", "reason: Required value"), ("action", .null, "action: Required value"),
            ("reportingController", "", "reportingController: Required value"),
            ("reportingController", "a/b/c", "reportingController: Invalid value"),
            ("reportingInstance", .null, "reportingInstance: Required value"),
            ("reportingInstance", .string(String(repeating: "x", count: 129)), "at most 128"),
            ("note", .string(String(repeating: "ü", count: 513)), "at most 1024"),
            ("regarding", ["kind": "VirtualService", "name": "a"], "does not match event.namespace"),
            ("deprecatedCount", 1, "count: Invalid value: \"\": needs to be unset"),
            ("series", ["count": 1, "lastObservedTime": "2026-01-01T00:00:00.000000Z"], "should be at least 2"),
            ("series", ["count": 2], "series.lastObservedTime: Required value"),
        ] as [(String, JSONValue, String)])
    func `refuses an event`(field: String, value: JSONValue, why: String) throws {
        let simulator = try startSimulator()
        try simulator.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "calls"]])
        var event = Self.event
        event["metadata", "namespace"] = "calls"
        event["regarding", "namespace"] = "calls"
        event[field] = value
        let answer = simulator.request("POST", Self.events.replacing("default", with: "calls"), body: event)
        #expect(answer.code == 422)
        #expect(answer.body["message"]?.text?.contains(why) == true, "\(answer.body)")
    }

    @Test func `an event changes by its series alone`() throws {
        let simulator = try startSimulator()
        #expect(simulator.request("POST", Self.events, body: Self.event).code == 201)
        func patch(_ patch: JSONValue) -> Int {
            simulator.request("PATCH", Self.events + "/e", contentType: "application/merge-patch+json", body: patch).code
        }
        #expect(patch(["series": ["count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"]]) == 200)
        #expect(patch(["series": ["count": 1]]) == 422)
        for field in ["note", "reason", "action", "reportingInstance"] { #expect(patch([field: "other"]) == 422, "\(field)") }
    }

    @Test(arguments: [("2026-01-01T00:00:00.123456Z", 201), ("2026-01-01T00:00:00Z", 400), ("2026-01-01T00:00:00.123Z", 400)])
    func `a time of a lease has six digits of a second`(time: String, code: Int) throws {
        let simulator = try startSimulator()
        let lease: JSONValue = [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": ["name": "l"],
            "spec": ["holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": .string(time)],
        ]
        #expect(simulator.request("POST", Self.leases, body: lease).code == code)
    }

    @Test(
        arguments: [
            ([["ip": "127.0.0.1"]], 200), ([["ip": "127.0.0.1"], ["ip": "::1"]], 200), ([["ip": "worker"]], 422),
            ([["ip": "127.0.0.1"], ["ip": "127.0.0.2"]], 422),
        ] as [(JSONValue, Int)])
    func `a pod has one address of a family`(addresses: JSONValue, code: Int) throws {
        let simulator = try startSimulator()
        try simulator.create(pod("a"))
        let status: JSONValue = ["status": ["podIP": addresses[0]?["ip"] ?? "", "podIPs": addresses]]
        let type = "application/merge-patch+json"
        #expect(simulator.request("PATCH", pods + "/a/status", contentType: type, body: status).code == code)
    }

    @Test func `without a controller manager accounts are made by hand, and namespaces end by hand`() throws {
        let simulator = try startSimulator()
        simulator.stopControllers()
        try simulator.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "calls"]])
        let path = "/api/v1/namespaces/calls/pods"
        var object = pod("a")
        object["metadata", "namespace"] = "calls"
        let refused = simulator.request("POST", path, body: object)
        #expect(refused.code == 403)
        #expect(refused.body["message"]?.text?.contains("serviceaccount \"default\" not found") == true)
        try simulator.create(
            ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default", "namespace": "calls"]])
        #expect(simulator.request("POST", path, body: object).code == 201)

        try simulator.delete("Namespace", "calls")
        #expect(simulator.get("Pod", "a", namespace: "calls") != nil)
        var namespace = try #require(simulator.get("Namespace", "calls"))
        #expect(namespace["status", "phase"] == "Terminating")
        namespace["spec", "finalizers"] = []
        #expect(simulator.request("PUT", "/api/v1/namespaces/calls/finalize", body: namespace).code == 200)
        #expect(simulator.get("Namespace", "calls") == nil)
    }

    @Test func `an account's token lasts ten minutes at least`() throws {
        let simulator = try startSimulator()
        try simulator.create(
            ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "a", "namespace": "default"]])
        for (seconds, code) in [(599, 422), (600, 201)] {
            let request: JSONValue = ["spec": ["expirationSeconds": .integer(Int64(seconds))]]
            #expect(
                simulator.request("POST", "/api/v1/namespaces/default/serviceaccounts/a/token", body: request).code == code)
        }
    }

    @Test func `a page that continues takes no version`() throws {
        let simulator = try startSimulator()
        for name in ["a", "b"] { try simulator.create(pod(name)) }
        let token = try #require(simulator.request("GET", pods + "?limit=1").body["metadata", "continue"]?.text)
            .replacing("=", with: "%3D").replacing("+", with: "%2B").replacing("/", with: "%2F")
        #expect(simulator.request("GET", pods + "?limit=1&continue=\(token)").code == 200)
        #expect(simulator.request("GET", pods + "?limit=1&continue=\(token)&resourceVersionMatch=NotOlderThan").code == 422)
    }
}
