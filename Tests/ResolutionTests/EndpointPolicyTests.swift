import Domain
import Testing

@testable import Resolution

func pod(
    _ name: String, _ labels: [String: String] = ["app": "worker"], address: String? = nil, uid: String? = nil,
    namespace: String = "default",
    ready: Bool = true, terminating: Bool = false, phase: Pod.Phase = .running
) -> Pod {
    Pod(
        metadata: ObjectMetadata(
            key: ObjectKey(namespace: namespace, name: name), uid: uid ?? "uid-\(name)", isTerminating: terminating),
        labels: labels, addresses: address.flatMap { IPAddress($0) }.map { [$0] } ?? [], phase: phase, isReady: ready)
}

@Suite struct EndpointPolicyTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let pods: [Pod]
        let expected: [String]
    }

    static let cases = [
        Case(
            testDescription: "ready pods are healthy, in order of address",
            pods: [pod("b", address: "10.0.0.2"), pod("a", address: "10.0.0.1")],
            expected: ["10.0.0.1 healthy", "10.0.0.2 healthy"]),
        Case(
            testDescription: "a pod that is not ready is unhealthy",
            pods: [pod("a", address: "10.0.0.1", ready: false)], expected: ["10.0.0.1 unhealthy"]),
        Case(
            testDescription: "no address, succeeded and failed are absent",
            pods: [
                pod("a"), pod("b", address: "10.0.0.2", phase: .succeeded), pod("c", address: "10.0.0.3", phase: .failed),
            ], expected: []),
        Case(
            testDescription: "a terminating pod is degraded while another can serve, also when it is no longer ready",
            pods: [
                pod("a", address: "10.0.0.1"), pod("b", address: "10.0.0.2", terminating: true),
                pod("c", address: "10.0.0.3", ready: false, terminating: true),
            ], expected: ["10.0.0.1 healthy", "10.0.0.2 degraded", "10.0.0.3 degraded"]),
        Case(
            testDescription: "the last usable pods stay healthy while they terminate",
            pods: [
                pod("a", address: "10.0.0.1", ready: false), pod("b", address: "10.0.0.2", terminating: true),
                pod("c", address: "10.0.0.3", ready: false, terminating: true),
            ], expected: ["10.0.0.1 unhealthy", "10.0.0.2 healthy", "10.0.0.3 degraded"]),
        Case(
            testDescription: "so do those that are not even ready, when there is no other",
            pods: [pod("a", address: "10.0.0.1", ready: false, terminating: true)], expected: ["10.0.0.1 healthy"]),
        Case(
            testDescription: "an address that two pods have belongs to the one that can serve",
            pods: [pod("old", address: "10.0.0.1", terminating: true), pod("new", address: "10.0.0.1")],
            expected: ["10.0.0.1 healthy"]),
    ]

    @Test(arguments: cases) func healthFollowsThePods(_ test: Case) {
        let found = EndpointPolicy().endpoints(among: test.pods)
        #expect(found.map { "\($0.address) \($0.health)" } == test.expected)
    }
}
