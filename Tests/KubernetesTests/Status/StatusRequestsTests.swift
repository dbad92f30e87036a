import Domain
import Kubernetes
import Testing

private let key = ObjectKey(namespace: "calls", name: "call-1")

@Suite struct StatusRequestsTests {
    @Test func conditionsAreAppliedByTheLeadersManager() {
        let summary = StatusSummary(
            observedGeneration: 2, listeners: 4, matchedEnvoys: 3, programmedEnvoys: 2,
            conditions: [
                Condition(
                    kind: .programmed, status: .no, observedGeneration: 2, lastTransitionSeconds: 1_714_564_800,
                    reason: "Pending", message: "a \"word\"\n")
            ])
        let request = StatusRequests.apply(summary, to: key, resourceVersion: "17")
        #expect(request.method == .patch)
        #expect(request.path == "/apis/servicemesh.l7mp.io/v1/namespaces/calls/virtualservices/call-1/status")
        #expect(request.contentType == "application/apply-patch+yaml")
        #expect(request.query.map { "\($0.name)=\($0.value)" } == ["fieldManager=xds-operator", "force=true"])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"apiVersion":"servicemesh.l7mp.io/v1","kind":"VirtualService","metadata":{"name":"call-1","namespace":"calls","resourceVersion":"17"},"status":{"observedGeneration":2,"listeners":4,"envoys":"2/3","programmedEnvoys":2,"matchedEnvoys":3,"conditions":[{"type":"Programmed","status":"False","observedGeneration":2,"lastTransitionTime":"2024-05-01T12:00:00Z","reason":"Pending","message":"a \"word\"\u000a"}]}}"#
        )
    }

    @Test func anEntryHasItsOwnManager() {
        let entry = ReplicaEntry(name: "op-0", observedGeneration: 2, matchedEnvoys: 1, programmedEnvoys: 1)
        let request = StatusRequests.apply(entry, of: "op-0", to: key, resourceVersion: "", seconds: 0)
        #expect(request.query.first?.value == "xds-operator-op-0")
        #expect(
            String(decoding: request.body, as: UTF8.self).hasSuffix(
                #""metadata":{"name":"call-1","namespace":"calls"},"status":{"replicas":[{"name":"op-0","observedGeneration":2,"programmedEnvoys":1,"matchedEnvoys":1,"rejectedEnvoys":0,"lastUpdateTime":"1970-01-01T00:00:00Z"}]}}"#
            ))
        let none = StatusRequests.apply(nil, of: "op-0", to: key, resourceVersion: "1", seconds: 0)
        #expect(String(decoding: none.body, as: UTF8.self).hasSuffix(#""status":{}}"#))
    }

    @Test func onlyOurFinalizerIsRemoved() throws {
        let request = try #require(
            StatusRequests.removeFinalizer(from: ["other", "l7mp.io/delete"], of: key, uid: "u1"))
        #expect(request.contentType == "application/json-patch+json")
        #expect(request.path.hasSuffix("/virtualservices/call-1"))
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"[{"op":"test","path":"/metadata/uid","value":"u1"},{"op":"test","path":"/metadata/finalizers","value":["other","l7mp.io/delete"]},{"op":"remove","path":"/metadata/finalizers/1"}]"#
        )
        #expect(StatusRequests.removeFinalizer(from: ["other"], of: key, uid: "u1") == nil)
    }

    @Test func entriesAreClearedFromTheBack() {
        let request = StatusRequests.clear(entriesAt: [0, 2], of: key, resourceVersion: "9")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"[{"op":"test","path":"/metadata/resourceVersion","value":"9"},{"op":"remove","path":"/status/replicas/2"},{"op":"remove","path":"/status/replicas/0"}]"#
        )
    }

    @Test func statusIsReadLeniently() {
        let value: FieldValue = [
            "observedGeneration": 2, "listeners": 4, "matchedEnvoys": 3, "programmedEnvoys": 9_999_999_999_999,
            "conditions": [
                [
                    "type": "Programmed", "status": "True", "observedGeneration": 2,
                    "lastTransitionTime": "2024-05-01T12:00:00Z", "reason": "Programmed", "message": "m",
                ],
                ["type": "Foreign", "status": "True"], "nonsense",
            ],
            "replicas": [["name": "a", "matchedEnvoys": -5], 7],
        ]
        let status = ObservedStatus(value)
        #expect(status.summary?[.programmed]?.lastTransitionSeconds == 1_714_564_800)
        #expect(status.summary?.programmedEnvoys == Int(Int32.max))
        #expect(status.summary?.concludes(generation: 2) == true)
        #expect(status.summary?.concludes(generation: 3) == false)
        #expect(status.replicas.map(\.name) == ["a", ""])
        #expect(status.replicas[0].matchedEnvoys == 0)
        #expect(ObservedStatus(nil).summary == nil)
        #expect(ObservedStatus(["conditions": "text", "replicas": 3]).summary == nil)
    }
}
