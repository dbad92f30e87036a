import Domain
import Kubernetes
import Testing

private let ingress: FieldValue = [
    "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService",
    "metadata": ["name": "ingress", "namespace": "calls", "generation": 3, "creationTimestamp": "2024-05-01T12:00:00Z"],
    "spec": [
        "selector": ["app": "envoy-ingress"],
        "listeners": [
            [
                "name": "l",
                "udp": [
                    "port": 2000, "idle_timeout": 90000, "max_datagram_size": 9000,
                    "cluster": [
                        "name": "c", "service_discovery": "eds", "health_check": ["interval": 500, "protocol": "TCP"],
                        "hash_key": "callid",
                        "endpoints": [
                            ["name": "e", "host": ["selector": ["app": "worker"]], "port": 2001, "health_check_port": 1233]
                        ],
                    ],
                ],
            ]
        ],
    ],
]

private let listener = ["spec", "listeners", "0"]
private let udp = listener + ["udp"]
private let cluster = udp + ["cluster"]
private let endpoint = cluster + ["endpoints", "0"]

/// A change of the valid object above, and what is to be said about it.
struct Change: Sendable, CustomTestStringConvertible {
    let path: [String]
    let value: FieldValue?
    let expected: [String]

    init(_ path: [String], _ value: FieldValue?, _ expected: String...) {
        (self.path, self.value, self.expected) = (path, value, expected)
    }

    var testDescription: String { "\(path.joined(separator: ".")): \(expected)" }
}

@Suite struct VirtualServiceDecoderTests {
    @Test func everyField() throws {
        let decoded = VirtualServiceDecoder().decode(ingress)
        #expect(decoded.diagnostics == [])
        let service = try #require(decoded.object)
        #expect(service.key == ObjectKey(namespace: "calls", name: "ingress"))
        #expect(service.metadata.generation == 3)
        #expect(service.metadata.creationSeconds == 1_714_564_800)
        #expect(service.selector == LabelSelector(labels: ["app": "envoy-ingress"]))
        let worker = try #require(LabelSelector(labels: ["app": "worker"]))
        let expected = ListenerIntent(
            name: "l", transport: .udp, port: try #require(PortNumber(2000)),
            cluster: ClusterIntent(
                name: "c", serviceDiscovery: .eds, healthCheck: HealthCheckIntent(interval: .milliseconds(500)),
                hashKey: "callid",
                endpoints: [
                    EndpointIntent(
                        name: "e", host: .selector(worker), port: try #require(PortNumber(2001)),
                        healthCheckPort: PortNumber(1233))
                ]),
            idleTimeout: .seconds(90), maximumDatagramSize: 9000)
        #expect(service.listeners == [expected])
    }

    @Test func tcp() throws {
        let object = ingress.replacing(udp, with: nil).replacing(
            listener + ["tcp"], with: ["port": 80, "cluster": ["name": "c", "service_discovery": "strictdns", "endpoints": []]])
        let decoded = VirtualServiceDecoder().decode(object)
        #expect(decoded.object?.listeners.first?.transport == .tcp)
        #expect(decoded.object?.listeners.first?.cluster?.serviceDiscovery == .strictDNS)
    }

    @Test(arguments: [
        Change(["spec"], nil, "spec: is missing: give a map with selector and listeners"),
        Change(["spec"], [], "spec: must be a map with selector and listeners, not a list"),
        Change(["metadata"], nil, "metadata: is missing: give a map with the object's name"),
        Change(["metadata", "name"], nil, "metadata.name: is missing: give the object's name"),
        Change(["metadata", "name"], "", "metadata.name: must not be empty"),
        Change(["metadata", "name"], "a/b", "metadata.name: must not contain a slash, as \"a/b\" does"),
        Change(["metadata", "name"], 7, "metadata.name: must be a name, not the number 7: put the value in quotes"),
        Change(
            ["metadata", "creationTimestamp"], "yesterday",
            "metadata.creationTimestamp: must be a time such as 2024-05-01T12:00:00Z, not the text \"yesterday\""),
        Change(
            ["spec", "selector"], nil, "spec.selector: is missing: give the labels of the pods whose Envoys get the listeners"),
        Change(
            ["spec", "selector"], [:], "spec.selector: must have at least one label: an empty selector would select every pod"),
        Change(["spec", "selector"], FieldValue(.null), "spec.selector: has no value: give a map of labels"),
        Change(
            ["spec", "selector", "app"], 1, "spec.selector[app]: must be text, not the number 1: put the value in quotes"),
        Change(["spec", "selector", "app"], true, "spec.selector[app]: must be text, not true: put the value in quotes"),
        Change(["spec", "listeners"], nil, "spec.listeners: is missing: give a list of listeners"),
        Change(["spec", "listeners"], [:], "spec.listeners: must be a list of listeners, not a map"),
        Change(listener, "x", "spec.listeners[0]: must be a listener, not the text \"x\""),
        Change(listener + ["name"], nil, "spec.listeners[0].name: is missing: give a name"),
        Change(listener + ["name"], "", "spec.listeners[0].name: must not be empty"),
        Change(
            listener + ["name"], "a\nb", "spec.listeners[0].name: must not contain control characters, as \"a\\nb\" does"),
        Change(udp, nil, "spec.listeners[0]: needs one of udp and tcp"),
        Change(
            listener + ["tcp"], ["port": 1],
            "spec.listeners[0]: has both udp and tcp: keep one, and make a listener of its own of the other"),
        Change(udp + ["port"], nil, "spec.listeners[0].udp.port: is missing: give a port from 1 to 65535"),
        Change(udp + ["port"], 0, "spec.listeners[0].udp.port: must be a port from 1 to 65535, not 0"),
        Change(udp + ["port"], 65536, "spec.listeners[0].udp.port: must be a port from 1 to 65535, not 65536"),
        Change(
            udp + ["port"], "2000",
            "spec.listeners[0].udp.port: must be a port from 1 to 65535, not the text \"2000\": remove the quotes"),
        Change(udp + ["port"], 20.5, "spec.listeners[0].udp.port: must be a port from 1 to 65535, not the number 20.5"),
        Change(udp + ["cluster"], nil, "spec.listeners[0].udp.cluster: is missing: give a cluster"),
        Change(
            udp + ["idle_timeout"], 0, "spec.listeners[0].udp.idle_timeout: must be a time from 1 to 86400000 milliseconds, not 0"
        ),
        Change(
            udp + ["idle_timeout"], FieldValue(.integer(.max)),
            "spec.listeners[0].udp.idle_timeout: must be a time from 1 to 86400000 milliseconds, not 9223372036854775807"),
        Change(
            udp + ["max_datagram_size"], 65508,
            "spec.listeners[0].udp.max_datagram_size: must be a size from 1 to 65507 bytes, not 65508"),
        Change(cluster + ["name"], nil, "spec.listeners[0].udp.cluster.name: is missing: give a name"),
        Change(
            cluster + ["service_discovery"], nil,
            "spec.listeners[0].udp.cluster.service_discovery: is missing: give strictdns or eds"),
        Change(
            cluster + ["service_discovery"], "dns",
            "spec.listeners[0].udp.cluster.service_discovery: must be strictdns or eds, not the text \"dns\""),
        Change(
            cluster + ["health_check", "interval"], 0,
            "spec.listeners[0].udp.cluster.health_check.interval: must be a time from 1 to 86400000 milliseconds, not 0"),
        Change(
            cluster + ["health_check", "interval"], nil,
            "spec.listeners[0].udp.cluster.health_check.interval: is missing: give a time in milliseconds"),
        Change(
            cluster + ["health_check", "protocol"], "UDP",
            "spec.listeners[0].udp.cluster.health_check.protocol: must be TCP, the only protocol of health checks, "
                + "not the text \"UDP\""),
        Change(
            cluster + ["hash_key"], 123,
            "spec.listeners[0].udp.cluster.hash_key: must be text, not the number 123: put the value in quotes"),
        Change(
            endpoint + ["host"], [:], "spec.listeners[0].udp.cluster.endpoints[0].host: needs one of selector and address"),
        Change(
            endpoint + ["host", "address"], "10.0.0.1",
            "spec.listeners[0].udp.cluster.endpoints[0].host: has both selector and address: keep one, and make an endpoint "
                + "of its own of the other"),
        Change(
            endpoint + ["host"], ["address": "10.0.0.256"],
            "spec.listeners[0].udp.cluster.endpoints[0].host.address: must be an IP address or a DNS name, "
                + "not the text \"10.0.0.256\""),
        Change(
            endpoint + ["host"], ["address": "[::1]:80"],
            "spec.listeners[0].udp.cluster.endpoints[0].host.address: must be an IP address or a DNS name, "
                + "not the text \"[::1]:80\": write the port into the field port, and IPv6 addresses without brackets"),
        Change(
            endpoint + ["host"], ["selector": [:]],
            "spec.listeners[0].udp.cluster.endpoints[0].host.selector: must have at least one label: "
                + "an empty selector would select every pod"),
        Change(
            endpoint + ["health_check_port"], -1,
            "spec.listeners[0].udp.cluster.endpoints[0].health_check_port: must be a port from 1 to 65535, not -1"),
    ])
    func errors(change: Change) {
        let decoded = VirtualServiceDecoder().decode(ingress.replacing(change.path, with: change.value))
        #expect(decoded.diagnostics.map(\.description) == change.expected)
        #expect(decoded.object == nil)
        if change.path.first != "metadata" { #expect(decoded.metadata?.key.name == "ingress") }
    }

    @Test(arguments: [
        Change(["spec", "listener"], [], "warning: spec.listener: is not known: did you mean listeners?"),
        Change(["extra"], 1, "warning: extra: is not known and is ignored"),
        Change(
            udp + ["max_datagram_sise"], 1,
            "warning: spec.listeners[0].udp.max_datagram_sise: is not known: did you mean max_datagram_size?"),
        Change(
            ["spec", "selector", "app"], "no value",
            "warning: spec.selector[app]: can't be a label of a pod, so nothing is selected"),
        Change(
            cluster + ["hash_key"], "",
            "warning: spec.listeners[0].udp.cluster.hash_key: is empty and counts as absent: hosts are chosen by source address"),
        Change(
            cluster + ["health_check", "interval"], 100,
            "warning: spec.listeners[0].udp.cluster.health_check.interval: is below the 500 milliseconds that are recommended at least"
        ),
        Change(
            cluster + ["endpoints"], [],
            "warning: spec.listeners[0].udp.cluster.endpoints: is empty, so whatever arrives is dropped"),
        Change(
            cluster + ["endpoints"], nil,
            "warning: spec.listeners[0].udp.cluster.endpoints: is missing, so whatever arrives is dropped"),
        Change(
            endpoint + ["health_check_port"], nil,
            "warning: spec.listeners[0].udp.cluster.endpoints[0]: has no health_check_port: the check connects to its port by TCP, "
                + "which a UDP program does not answer"),
        Change(
            cluster + ["health_check"], nil,
            "warning: spec.listeners[0].udp.cluster.endpoints[0]: has a health_check_port without effect, "
                + "because the cluster has no health_check"),
        Change(
            endpoint + ["host"], ["address": "tcp-echo.default.svc"],
            "warning: spec.listeners[0].udp.cluster.service_discovery: is served as strictdns, because an endpoint has a DNS name"
        ),
        Change(["spec", "listeners"], []),
        Change(cluster + ["health_check", "protocol"], nil),
        Change(["metadata", "creationTimestamp"], FieldValue(.null)),
        Change(["metadata", "namespace"], ""),
    ])
    func acceptedWithWarnings(change: Change) {
        let decoded = VirtualServiceDecoder().decode(ingress.replacing(change.path, with: change.value))
        #expect(decoded.diagnostics.map(\.description) == change.expected)
        #expect(decoded.object != nil)
    }

    @Test func tcpWarnings() {
        let bare = ingress.replacing(udp, with: nil)
        let alone = VirtualServiceDecoder().decode(bare.replacing(listener + ["tcp"], with: ["port": 80]))
        #expect(
            alone.diagnostics.map(\.description) == [
                "warning: spec.listeners[0].tcp: has no cluster, so the listener is never served"
            ])
        #expect(alone.object?.listeners.first?.cluster == nil)
        #expect(alone.object?.listeners.count == 1)
        let keyed = VirtualServiceDecoder().decode(
            bare.replacing(
                listener + ["tcp"],
                with: [
                    "port": 80,
                    "cluster": [
                        "name": "c", "service_discovery": "eds", "hash_key": "k",
                        "endpoints": [["name": "e", "host": ["address": "10.0.0.1"], "port": 1]],
                    ],
                ]))
        #expect(
            keyed.diagnostics.map(\.description) == [
                "warning: spec.listeners[0].tcp.cluster.hash_key: has no effect on tcp, which chooses hosts by source address only"
            ])
    }

    @Test func namesDifferWithinAnObject() throws {
        let first = try #require(ingress["spec"]?["listeners"]?.elements?.first)
        let decoded = VirtualServiceDecoder().decode(
            ingress.replacing(["spec", "listeners"], with: FieldValue(.array([first, first]))))
        #expect(
            decoded.diagnostics.map(\.description) == [
                "spec.listeners[1].name: is also the name of spec.listeners[0]: listeners of an object need different names"
            ])
        #expect(decoded.object == nil)
    }

    @Test func keysWrittenTwiceAreErrors() {
        let twice = FieldValue(
            .object(
                FieldObject([
                    FieldObject.Member(key: "app", line: 7, value: "a"), FieldObject.Member(key: "app", line: 8, value: "b"),
                ])))
        let decoded = VirtualServiceDecoder().decode(ingress.replacing(["spec", "selector"], with: twice))
        #expect(
            decoded.diagnostics == [
                Diagnostic(.error, field: "spec.selector[app]", message: "is written twice: remove one of the two", line: 8)
            ])
    }

    @Test func everythingWrongIsToldAtOnce() {
        let broken = ingress.replacing(udp + ["port"], with: 0).replacing(endpoint + ["port"], with: "x")
            .replacing(["spec", "selector"], with: [:])
        #expect(
            VirtualServiceDecoder().decode(broken).diagnostics.map(\.field) == [
                "spec.selector", "spec.listeners[0].udp.port", "spec.listeners[0].udp.cluster.endpoints[0].port",
            ])
    }

    @Test func namespaceDefaults() {
        let decoded = VirtualServiceDecoder(defaultNamespace: "games").decode(
            ingress.replacing(["metadata", "namespace"], with: nil))
        #expect(decoded.object?.key.namespace == "games")
    }
}
