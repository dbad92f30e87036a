import Domain
import Kubernetes
import Manifests
import Testing

/// A manifest and what is said about it, as `line: field: message`.
struct InvalidManifest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let expected: [String]

    init(_ name: String, _ text: String, _ expected: String...) {
        (testDescription, self.text, self.expected) = (name, text, expected)
    }

    /// The valid manifest with `old` replaced.
    init(_ name: String, replacing old: String, by new: String, _ expected: String...) {
        (testDescription, self.expected) = (name, expected)
        text = InvalidManifest.valid.replacing(old, with: new)
    }

    static let valid = """
        apiVersion: servicemesh.l7mp.io/v1
        kind: VirtualService
        metadata:
          name: ingress
        spec:
          selector:
            app: envoy-ingress
          listeners:
            - name: l
              udp:
                port: 2000
                cluster:
                  name: c
                  service_discovery: eds
                  health_check:
                    interval: 500
                    protocol: TCP
                  hash_key: callid
                  endpoints:
                    - name: e
                      host:
                        selector:
                          app: worker
                      port: 2001
                      health_check_port: 1233

        """

    static let table: [InvalidManifest] = [
        InvalidManifest("tab", "a:\n\tb: 1\n", "2: is not valid YAML: found character that cannot start any token"),
        InvalidManifest("open bracket", "a: [1,\n", "3: is not valid YAML: did not find expected node content"),
        InvalidManifest("control character", "a: 1\nb: \u{1}\n", "2: is not valid YAML: control characters are not allowed"),
        InvalidManifest("scalar", "hello\n", "1: is no Kubernetes object: it is not a map"),
        InvalidManifest("no kind", "\n\nname: x\n", "3: is no Kubernetes object: it needs apiVersion and kind, both text"),
        InvalidManifest("unknown alias", "a: *b\n", "1: is not valid YAML: found undefined alias"),
        InvalidManifest(
            "alias", "a: &x [1]\nb: *x\n", "2: uses the YAML alias *x: aliases are not supported, write the value out"),
        InvalidManifest("tag", "a: !!binary aGk=\n", "1: has a YAML tag: write the value without it"),
        InvalidManifest("map as key", "apiVersion: v1\n{a: 1}: b\n", "1: has a list or map as a key"),
        InvalidManifest(
            "maps as keys, twice", "a:\n  {b: 1}: c\n  {b: 1}: d\n  {e: 1}: f\n  {e: 1}: g\n", "1: has a list or map as a key"),
        InvalidManifest(
            "other version", replacing: "servicemesh.l7mp.io/v1", by: "servicemesh.l7mp.io/v2",
            "1: is of no known kind: servicemesh.l7mp.io has only VirtualService, of apiVersion servicemesh.l7mp.io/v1"),
        InvalidManifest(
            "items", "apiVersion: v1\nkind: List\nitems: 5\n", "3: items: must be a list of objects"),
        InvalidManifest(
            "second document", valid + "---\n# fine\n---\na: [\n", "31: is not valid YAML: did not find expected node content"),
        InvalidManifest(
            "key twice", replacing: "    port: 2000", by: "    port: 2000\n        port: 2001",
            "11: has a key twice in one map: port"),
        InvalidManifest(
            "port", replacing: "port: 2000", by: "port: 70000",
            "11: spec.listeners[0].udp.port: must be a port from 1 to 65535, not 70000"),
        InvalidManifest(
            "quoted port", replacing: "port: 2000", by: "port: \"2000\"",
            "11: spec.listeners[0].udp.port: must be a port from 1 to 65535, not the text \"2000\": remove the quotes"),
        InvalidManifest(
            "empty port", replacing: "port: 2000", by: "port:",
            "11: spec.listeners[0].udp.port: has no value: give a port from 1 to 65535"),
        InvalidManifest(
            "missing port", replacing: "        port: 2000\n", by: "",
            "10: spec.listeners[0].udp.port: is missing: give a port from 1 to 65535"),
        InvalidManifest(
            "unquoted label", replacing: "app: worker", by: "version: 1",
            "23: spec.listeners[0].udp.cluster.endpoints[0].host.selector[version]: must be text, not the number 1: "
                + "put the value in quotes"),
        InvalidManifest(
            "unquoted truth value", replacing: "app: envoy-ingress", by: "app: on",
            "7: spec.selector[app]: must be text, not true: put the value in quotes"),
        InvalidManifest(
            "unquoted key of digits", replacing: "hash_key: callid", by: "hash_key: 0123",
            "18: spec.listeners[0].udp.cluster.hash_key: must be text, not the number 83: put the value in quotes"),
        InvalidManifest(
            "unquoted key with exponent", replacing: "hash_key: callid", by: "hash_key: 1e3",
            "18: spec.listeners[0].udp.cluster.hash_key: must be text, not the number 1000.0: put the value in quotes"),
        InvalidManifest(
            "selector and address", replacing: "host:", by: "host:\n                address: 10.0.0.1",
            "21: spec.listeners[0].udp.cluster.endpoints[0].host: has both selector and address: "
                + "keep one, and make an endpoint of its own of the other"),
        InvalidManifest(
            "misspelt field", replacing: "hash_key", by: "haskey",
            "18: warning: spec.listeners[0].udp.cluster.haskey: is not known: did you mean hash_key?"),
        InvalidManifest(
            "pod", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nstatus:\n  podIP: nowhere\n",
            "3: warning: metadata.uid: is missing: an Envoy in this pod must name itself default/p",
            "6: status.podIP: must be an IP address, not the text \"nowhere\""),
    ]
}

@Suite struct InvalidManifestTests {
    @Test func theBaseOfTheTableIsValid() throws {
        let directory = try TemporaryDirectory()
        try directory.write(InvalidManifest.valid, to: "m.yaml")
        #expect(ManifestReader().read(paths: [directory["m.yaml"]]).diagnostics == [])
    }

    @Test(arguments: InvalidManifest.table)
    func lineFieldAndMessage(manifest: InvalidManifest) throws {
        let directory = try TemporaryDirectory()
        try directory.write(manifest.text, to: "m.yaml")
        let report = ManifestReader().read(paths: [directory["m.yaml"]])
        #expect(report.diagnostics.map(\.description) == manifest.expected.map { "\(directory["m.yaml"]):\($0)" })
    }

    @Test func linesSurviveCarriageReturns() throws {
        let directory = try TemporaryDirectory()
        let text = "# first\n---\n" + InvalidManifest.valid.replacing("port: 2000", with: "port: 0")
        try directory.write(text.replacing("\n", with: "\r\n"), to: "m.yaml")
        let report = ManifestReader().read(paths: [directory["m.yaml"]])
        #expect(report.diagnostics.map(\.diagnostic.line) == [13])
    }

    @Test func aFaultDoesNotHideItsNeighbours() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Manifest.service("a") + "---\n[\n---\n" + Manifest.service("b"), to: "m.yaml")
        let report = ManifestReader().read(paths: [directory["m.yaml"]])
        #expect(report.virtualServices.map(\.key.name) == ["a", "b"])
        #expect(report.diagnostics.count == 1)
    }

    @Test(arguments: [
        InvalidManifest("flow sequences", String(repeating: "[", count: 200_000)),
        InvalidManifest("flow maps", String(repeating: "{a: ", count: 100_000)),
        InvalidManifest("block sequences", String(repeating: "- ", count: 100_000)),
        InvalidManifest("block maps", (0..<2000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()),
        InvalidManifest("keys that are maps", String(repeating: "? ", count: 100_000)),
        InvalidManifest("deep but closed", String(repeating: "[", count: 70) + String(repeating: "]", count: 70)),
        InvalidManifest("deep in one line", "a: " + String(repeating: "[", count: 990) + String(repeating: "]", count: 990)),
        InvalidManifest("shadowed anchors", String(repeating: "a: &a\n", count: 10)),
        InvalidManifest("NUL", "\0"),
        InvalidManifest("version", "%YAML 9.9\n---\na: 1"),
        InvalidManifest("byte order mark", "--- >\n\u{FEFF}"),
        InvalidManifest("long scalar", "a: " + String(repeating: "x", count: 1_000_000)),
        InvalidManifest("alias as key", "- &a [1]\n- ? *a\n  : 2\n"),
        InvalidManifest("verbatim tag", "!<x> y"),
        InvalidManifest("surrogates", "a: \"\\ud83d\\ude00\""),
        InvalidManifest("markers", "---\n...\n...\n---"),
    ])
    func hostileTextIsSurvived(hostile: InvalidManifest) throws {
        let text = hostile.text
        let directory = try TemporaryDirectory()
        try directory.write(text, to: "m.yaml")
        let report = ManifestReader().read(paths: [directory["m.yaml"]])
        #expect(report.virtualServices.isEmpty)
        #expect(report.diagnostics.allSatisfy { $0.description.utf8.count < 1000 })
    }

    @Test func nestedAliasesAreRefusedAtOnce() throws {
        let directory = try TemporaryDirectory()
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let inner = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(inner)]\n"
        }
        text += "? *a30\n: boom\n"
        try directory.write(text, to: "m.yaml")
        let report = ManifestReader().read(paths: [directory["m.yaml"]])
        #expect(
            report.diagnostics.map(\.description) == [
                "\(directory["m.yaml"]):2: uses the YAML alias *a0: aliases are not supported, write the value out"
            ])
    }
}
