import Domain
import Kubernetes
import Testing

private let worker: FieldValue = [
    "metadata": ["name": "worker-0", "namespace": "calls", "uid": "u-1", "labels": ["app": "worker"]],
    "status": [
        "phase": "Running", "podIP": "10.0.0.1", "podIPs": [["ip": "10.0.0.1"], ["ip": "fd00::1"]],
        "conditions": [["type": "Initialized", "status": "True"], ["type": "Ready", "status": "True"]],
    ],
]

@Suite struct PodDecoderTests {
    @Test func everyField() throws {
        let decoded = PodDecoder().decode(worker)
        #expect(decoded.diagnostics == [])
        let pod = try #require(decoded.object)
        #expect(pod.key == ObjectKey(namespace: "calls", name: "worker-0"))
        #expect(pod.metadata.uid == "u-1")
        #expect(pod.labels == ["app": "worker"])
        #expect(pod.addresses.map(\.text) == ["10.0.0.1", "fd00::1"])
        #expect(pod.phase == .running)
        #expect(pod.isReady)
        #expect(!pod.metadata.isTerminating)
    }

    @Test func primaryAddressComesFirst() {
        let decoded = PodDecoder().decode(worker.replacing(["status", "podIP"], with: "fd00::1"))
        #expect(decoded.object?.addresses.map(\.text) == ["fd00::1", "10.0.0.1"])
    }

    @Test(arguments: [nil, FieldValue(.null), [:]] as [FieldValue?])
    func withoutStatusItIsPending(status: FieldValue?) {
        let decoded = PodDecoder().decode(worker.replacing(["status"], with: status))
        #expect(decoded.diagnostics == [])
        #expect(decoded.object?.phase == .pending)
        #expect(decoded.object?.addresses == [])
        #expect(decoded.object?.isReady == false)
    }

    @Test(arguments: [("True", true), ("False", false), ("Unknown", false)])
    func readiness(status: String, isReady: Bool) {
        let changed = worker.replacing(["status", "conditions", "1", "status"], with: FieldValue(.string(status)))
        #expect(PodDecoder().decode(changed).object?.isReady == isReady)
    }

    @Test(
        arguments: [
            (nil, "default"), ([:], "default"), (["serviceAccountName": FieldValue(.null)], "default"),
            (["serviceAccountName": ""], "default"), (["serviceAccountName": "sip"], "sip"),
        ] as [(FieldValue?, String)])
    func serviceAccount(spec: FieldValue?, expected: String) {
        #expect(PodDecoder().decode(worker.replacing(["spec"], with: spec)).object?.serviceAccount == expected)
    }

    @Test func terminating() {
        let changed = worker.replacing(["metadata", "deletionTimestamp"], with: "2024-05-01T12:00:00Z")
        #expect(PodDecoder().decode(changed).object?.metadata.isTerminating == true)
    }

    @Test(arguments: [
        Change(
            ["metadata", "uid"], nil, "warning: metadata.uid: is missing: an Envoy in this pod must name itself calls/worker-0"),
        Change(
            ["metadata", "labels", "app"], 1, "metadata.labels[app]: must be text, not the number 1: put the value in quotes"),
        Change(
            ["status", "phase"], "Up", "status.phase: must be Pending, Running, Succeeded, Failed or Unknown, not the text \"Up\""
        ),
        Change(["status", "podIP"], "10.0.0", "status.podIP: must be an IP address, not the text \"10.0.0\""),
        Change(["status", "podIPs", "1", "ip"], 7, "status.podIPs[1].ip: must be an IP address, not the number 7"),
        Change(
            ["status", "conditions", "1", "status"], true,
            "status.conditions[1].status: must be \"True\", \"False\" or \"Unknown\", not true: put the value in quotes"),
    ])
    func diagnostics(change: Change) {
        let decoded = PodDecoder().decode(worker.replacing(change.path, with: change.value))
        #expect(decoded.diagnostics.map(\.description) == change.expected)
        #expect(decoded.metadata?.key.name == "worker-0")
        #expect((decoded.object == nil) == decoded.diagnostics.contains { $0.severity == .error })
    }
}
