import Domain
import GRPC
import Testing

@testable import ControlPlane

@Suite struct IdentityRulesTests {
    private static func pod(_ name: String, _ namespace: String, uid: String = "u-1", account: String = "sip") -> Pod {
        Pod(
            metadata: ObjectMetadata(key: ObjectKey(namespace: namespace, name: name), uid: uid), labels: [:], addresses: [],
            phase: .running, isReady: true, serviceAccount: account)
    }

    private static let pod = pod("envoy-0", "calls")

    private func isAllowed(_ client: ClientIdentity?, _ pod: Pod = Self.pod, _ rules: IdentityRules = IdentityRules()) -> Bool {
        if case .allowed = rules.verdict(client, for: pod) { true } else { false }
    }

    @Test(arguments: [
        ("spiffe://cluster.local/ns/calls/sa/sip", true), ("SPIFFE://other.domain/ns/calls/sa/sip", true),
        ("spiffe://cluster.local/ns/calls/sa/other", false), ("spiffe://cluster.local/ns/other/sa/sip", false),
        ("spiffe://cluster.local/ns/calls/sa/sip/", false), ("spiffe://cluster.local/ns/calls/sa/sip/x", false),
        ("spiffe://cluster.local/ns/calls/sa/", false), ("spiffe:///ns/calls/sa/sip", false),
        ("spiffe://cluster.local/ns/CALLS/sa/sip", false), ("spiffe://cluster.local/x/ns/calls/sa/sip", false),
        ("spiffe:/cluster.local/ns/calls/sa/sip", false), ("https://cluster.local/ns/calls/sa/sip", false),
        ("spiffe://cluster.local/ns/calls%2Fsa/sip", false), ("spiffe://cluster.local//ns/calls/sa/sip", false),
        ("urn:uuid:u-1", true), ("urn:uuid:u-2", false), ("urn:uuid:", false), ("u-1", false), ("", false),
    ])
    func uris(uri: String, expected: Bool) {
        #expect(isAllowed(ClientIdentity(uris: [uri], dnsNames: [])) == expected)
        // One name that is right is enough, wherever it stands.
        #expect(isAllowed(ClientIdentity(uris: ["spiffe://x/ns/y/sa/z", uri], dnsNames: ["x.y"])) == expected)
    }

    @Test(arguments: [
        ("envoy-0.calls", true), ("envoy-0.calls.svc.cluster.local", true), ("ENVOY-0.calls.pod", true),
        ("envoy-0", false), ("envoy-0.other", false), ("envoy-1.calls", false), ("calls.envoy-0", false),
        ("*.calls", false), ("xenvoy-0.calls", false), ("envoy-0.callsx", false), ("a.envoy-0.calls", false),
        (".envoy-0.calls", false), ("u-1", true), ("U-1", true), ("u-1.calls", false), ("", false), (".", false),
    ])
    func dnsNames(name: String, expected: Bool) {
        #expect(isAllowed(ClientIdentity(uris: [], dnsNames: [name])) == expected)
    }

    @Test func aPodWithADotIsNotMistakenForOneOfAnotherNamespace() {
        let client = ClientIdentity(uris: [], dnsNames: ["x.y.z"])
        #expect(isAllowed(client, Self.pod("x", "y")))
        #expect(!isAllowed(client, Self.pod("x.y", "z")))
    }

    @Test func onlyTheFormsThatCount() {
        let clients: [IdentityRules.Form: ClientIdentity] = [
            .spiffe: ClientIdentity(uris: ["spiffe://d/ns/calls/sa/sip"], dnsNames: []),
            .dns: ClientIdentity(uris: [], dnsNames: ["envoy-0.calls"]),
            .uid: ClientIdentity(uris: ["urn:uuid:u-1"], dnsNames: ["u-1"]),
        ]
        for (shown, client) in clients {
            for form in IdentityRules.Form.allCases {
                #expect(isAllowed(client, Self.pod, IdentityRules(forms: [form])) == (form == shown))
            }
        }
    }

    @Test(arguments: [("d", true), ("D", true), ("other", false), ("", false)])
    func theTrustDomain(domain: String, expected: Bool) {
        let client = ClientIdentity(uris: ["spiffe://d/ns/calls/sa/sip"], dnsNames: [])
        #expect(isAllowed(client, Self.pod, IdentityRules(trustDomain: domain)) == expected)
    }

    @Test func nothingShownIsAnonymous() {
        for client in [nil, ClientIdentity(account: nil)] {
            #expect(IdentityRules().verdict(client, for: Self.pod) == .denied(.anonymous))
            #expect(IdentityRules().administratorVerdict(client) == .denied(.anonymous))
        }
        let nameless = ClientIdentity(uris: [], dnsNames: [])
        #expect(IdentityRules().verdict(nameless, for: Self.pod) == .denied(.otherPod))
    }

    @Test(arguments: [("u-1", "u-1", true), ("u-2", "u-1", false), ("", "u-1", false), ("", "", false)])
    func tokensAreBoundToAPod(bound: String, uid: String, expected: Bool) {
        let client = ClientIdentity(account: .init(username: "system:serviceaccount:calls:sip", podUID: bound))
        #expect(isAllowed(client, Self.pod("envoy-0", "calls", uid: uid)) == expected)
    }

    @Test func aPodWithoutUIDIsNobodys() {
        let pod = Self.pod("envoy-0", "calls", uid: "")
        #expect(!isAllowed(ClientIdentity(uris: ["urn:uuid:"], dnsNames: [""]), pod))
    }

    @Test func administrators() {
        let rules = IdentityRules(administrators: ["spiffe://d/ns/ops/sa/admin", "system:serviceaccount:ops:admin"])
        let names = [
            (ClientIdentity(uris: ["spiffe://d/ns/ops/sa/admin"], dnsNames: []), true),
            (ClientIdentity(uris: ["spiffe://d/ns/calls/sa/sip"], dnsNames: ["envoy-0.calls"]), false),
            (ClientIdentity(account: .init(username: "system:serviceaccount:ops:admin", podUID: "")), true),
            (ClientIdentity(account: .init(username: "system:serviceaccount:calls:sip", podUID: "u-1")), false),
        ]
        for (client, expected) in names {
            #expect((rules.administratorVerdict(client) != .denied(.notAdministrator)) == expected)
            #expect(IdentityRules().administratorVerdict(client) == .denied(.notAdministrator))
            // To be an administrator is not to be every pod.
            if expected { #expect(!isAllowed(client)) }
        }
    }
}
