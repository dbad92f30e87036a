import Domain
import Kubernetes
import Testing

@testable import Manifests

/// The custom resource definition against the decoder: whatever the API server refuses by schema, the operator refuses as well, so
/// that `validate` never passes what the cluster won't take.
@Suite struct CustomResourceDefinitionTests {
    private let definition: FieldValue
    private let version: FieldValue
    private let schema: StructuralSchema

    init() throws {
        let text = try Cases.text("helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml")
        definition = try #require(try CustomResourceDefinitionTests.values(text).first)
        version = try #require(definition["spec"]?["versions"]?.elements?.first)
        schema = StructuralSchema(schema: try #require(version["schema"]?["openAPIV3Schema"]))
    }

    private static func values(_ text: String) throws -> [FieldValue] {
        try YAMLDocument.documents(of: text).flatMap { try $0.values.get() }
    }

    @Test func names() {
        let names = definition["spec"]?["names"]
        #expect(definition["metadata"]?["name"]?.text == "virtualservices.servicemesh.l7mp.io")
        #expect(definition["spec"]?["group"]?.text == ObjectKind.group)
        #expect(definition["spec"]?["scope"]?.text == "Namespaced")
        #expect(names?["kind"]?.text == ObjectKind.virtualService.rawValue)
        #expect(names?["plural"]?.text == "virtualservices")
        #expect(names?["shortNames"]?.elements?.map(\.text) == ["vsvc"])
        #expect(version["subresources"]?["status"] != nil)
        #expect(
            version["additionalPrinterColumns"]?.elements?.map { $0["name"]?.text } == [
                "Listeners", "Envoys", "Programmed", "Age",
            ])
    }

    @Test func theSchemaIsStructural() {
        #expect(schema.breaches() == [])
    }

    @Test(arguments: ["seed.yaml", "call.yaml"])
    func casesAreAccepted(file: String) throws {
        let values = try CustomResourceDefinitionTests.values(Cases.text("Tests/ManifestsTests/Cases/\(file)"))
        #expect(values.count == 2)
        for value in values { #expect(schema.faults(of: value) == []) }
    }

    @Test func everyFieldAndStatusIsAccepted() throws {
        let text =
            InvalidManifest.valid.replacing(
                "port: 2000\n", with: "port: 2000\n        idle_timeout: 90000\n        max_datagram_size: 9000\n") + """
                status:
                  observedGeneration: 3
                  listeners: 1
                  envoys: 3/3
                  matchedEnvoys: 3
                  programmedEnvoys: 3
                  conditions:
                    - {type: Programmed, status: "True", reason: Programmed, message: "", lastTransitionTime: "2024-05-01T12:00:00Z"}
                  replicas:
                    - {name: xds-operator-0, observedGeneration: 3, matchedEnvoys: 2, programmedEnvoys: 2, rejectedEnvoys: 0}
                    - {name: xds-operator-1, observedGeneration: 3, matchedEnvoys: 1, programmedEnvoys: 1, rejectedEnvoys: 0}

                """
        let value = try #require(try CustomResourceDefinitionTests.values(text).first)
        #expect(schema.faults(of: value) == [])
        #expect(VirtualServiceDecoder().decode(value).diagnostics == [])
    }

    /// Objects that the schema refuses, as changes of the valid one, with the keyword that refuses them.
    @Test(arguments: [
        Refused(replacing: "    app: envoy-ingress\n", by: "    {}\n", "minProperties"),
        Refused(replacing: "app: envoy-ingress", by: "app: 1", "type"),
        Refused(replacing: "app: envoy-ingress", by: "app:", "type"),
        Refused(replacing: "name: l\n", by: "name: \"\"\n", "minLength"),
        Refused(replacing: "name: l\n", by: "name: \"a\\nb\"\n", "pattern"),
        Refused(replacing: "name: l\n", by: "name: \(String(repeating: "x", count: 513))\n", "maxLength"),
        Refused(replacing: "name: l\n", by: "nam: l\n", "required"),
        Refused(replacing: "udp:", by: "sctp:", "oneOf"),
        Refused(replacing: "udp:", by: "tcp: {port: 1}\n      udp:", "oneOf"),
        Refused(replacing: "port: 2000", by: "port: 0", "minimum"),
        Refused(replacing: "port: 2000", by: "port: 65536", "maximum"),
        Refused(replacing: "port: 2000", by: "port: \"2000\"", "type"),
        Refused(replacing: "port: 2000", by: "port: 2000.5", "type"),
        Refused(replacing: "port: 2000", by: "port:", "type"),
        Refused(replacing: "        port: 2000\n", by: "", "required"),
        Refused(replacing: "port: 2000", by: "port: 2000\n        idle_timeout: 0", "minimum"),
        Refused(replacing: "port: 2000", by: "port: 2000\n        idle_timeout: 86400001", "maximum"),
        Refused(replacing: "port: 2000", by: "port: 2000\n        max_datagram_size: 0", "minimum"),
        Refused(replacing: "port: 2000", by: "port: 2000\n        max_datagram_size: 65508", "maximum"),
        Refused(replacing: "name: c\n", by: "name: 7\n", "type"),
        Refused(replacing: "service_discovery: eds", by: "service_discovery: EDS", "enum"),
        Refused(replacing: "          service_discovery: eds\n", by: "", "required"),
        Refused(replacing: "interval: 500", by: "interval: 0", "minimum"),
        Refused(replacing: "interval: 500", by: "interval: 86400001", "maximum"),
        Refused(replacing: "            interval: 500\n", by: "", "required"),
        Refused(replacing: "protocol: TCP", by: "protocol: UDP", "enum"),
        Refused(replacing: "hash_key: callid", by: "hash_key: 5", "type"),
        Refused(replacing: "hash_key: callid", by: "hash_key: \(String(repeating: "x", count: 513))", "maxLength"),
        Refused(replacing: "- name: e", by: "- name: \"\"", "minLength"),
        Refused(replacing: "              port: 2001\n", by: "", "required"),
        Refused(replacing: "port: 2001", by: "port: 70000", "maximum"),
        Refused(replacing: "health_check_port: 1233", by: "health_check_port: 0", "minimum"),
        Refused(replacing: "host:\n", by: "host:\n                address: 10.0.0.1\n", "oneOf"),
        Refused(replacing: "selector:\n                  app: worker", by: "{}", "oneOf"),
        Refused(replacing: "selector:\n                  app: worker", by: "address: \"\"", "minLength"),
        Refused(replacing: "selector:\n                  app: worker", by: "selector: {}", "minProperties"),
        Refused(
            replacing: "selector:\n                  app: worker", by: "address: \(String(repeating: "a", count: 255))",
            "maxLength"),
    ])
    func whatTheSchemaRefusesTheDecoderRefuses(refused: Refused) throws {
        let text = InvalidManifest.valid.replacing(refused.old, with: refused.new)
        #expect(text != InvalidManifest.valid)
        let value = try #require(try CustomResourceDefinitionTests.values(text).first)
        let faults = schema.faults(of: value)
        #expect(faults.contains { $0.hasSuffix(refused.keyword) }, "\(faults)")
        #expect(VirtualServiceDecoder().decode(value).object == nil)
    }

    @Test func equalNamesAreRefusedByBoth() throws {
        let listener = "    - {name: l, tcp: {port: 1}}\n"
        let value = try #require(try CustomResourceDefinitionTests.values(InvalidManifest.valid + listener).first)
        #expect(schema.faults(of: value) == [".spec.listeners: duplicate key"])
        #expect(VirtualServiceDecoder().decode(value).object == nil)
    }

    /// Each value of the valid object in turn becomes null, a text, a number, a list and a map, and is taken away.
    @Test func mutationsThatTheSchemaRefusesTheDecoderRefuses() throws {
        let valid = try #require(try CustomResourceDefinitionTests.values(InvalidManifest.valid).first)
        let kinds: [FieldValue.Kind?] = [
            nil, .null, .bool(true), .string(""), .string("x"), .integer(-1), .integer(7), .double(1.5), .array([]),
            .object(FieldObject([])),
        ]
        var refused = 0
        for kind in kinds {
            for mutated in valid.mutations(to: kind) where mutated["spec"] != valid["spec"] {
                guard !schema.faults(of: mutated).isEmpty else { continue }
                refused += 1
                #expect(VirtualServiceDecoder().decode(mutated).object == nil, "\(schema.faults(of: mutated))")
            }
        }
        #expect(refused > 150)
    }
}

/// A change of the valid manifest that the schema refuses by `keyword`.
struct Refused: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let keyword: String

    init(replacing old: String, by new: String, _ keyword: String) { (self.old, self.new, self.keyword) = (old, new, keyword) }

    var testDescription: String { "\(keyword): \(new.prefix(40))" }
}

extension FieldValue {
    /// This value with each value in it, in turn, replaced by `kind` or taken away.
    fileprivate func mutations(to kind: Kind?) -> [FieldValue] {
        var result = kind.map { [FieldValue($0)] } ?? []
        switch self.kind {
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                for mutated in element.mutations(to: kind) {
                    var copy = elements
                    copy[index] = mutated
                    result.append(FieldValue(.array(copy)))
                }
            }
        case .object(let object):
            for (index, member) in object.members.enumerated() {
                var members = object.members
                if kind == nil {
                    members.remove(at: index)
                    result.append(FieldValue(.object(FieldObject(members))))
                }
                for mutated in member.value.mutations(to: kind) {
                    var members = object.members
                    members[index].value = mutated
                    result.append(FieldValue(.object(FieldObject(members))))
                }
            }
        default: break
        }
        return result
    }
}
