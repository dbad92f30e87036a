import KubeAPISimulator
import Testing

struct SchemaTests {
    /// What is put at a path of a valid object, and what the server says.
    static let refused: [(path: [String], value: JSONValue, message: String)] = [
        (["spec"], .null, "spec: Invalid value: \"null\": spec in body must be of type object: \"null\""),
        (["spec", "selector"], [:], "spec.selector: Invalid value: 0: spec.selector in body should have at least 1 properties"),
        (
            ["spec", "selector"], "a",
            "spec.selector: Invalid value: \"string\": spec.selector in body must be of type object: \"string\""
        ),
        (
            ["spec", "listeners"], [listener("a", port: 0)],
            "spec.listeners[0].udp.port: Invalid value: 0: spec.listeners[0].udp.port in body should be greater than or equal to 1"
        ),
        (
            ["spec", "listeners"], [listener("a", port: 65536)],
            "spec.listeners[0].udp.port: Invalid value: 65536: spec.listeners[0].udp.port in body should be less than or equal to 65535"
        ),
        (["spec", "listeners"], [listener("a", port: "1")], "must be of type integer: \"string\""),
        (["spec", "listeners"], [listener("")], "spec.listeners[0].name in body should be at least 1 chars long"),
        (["spec", "listeners"], [listener("a"), listener("a")], "spec.listeners[1]: Duplicate value: {\"name\":\"a\"}"),
        (["spec", "listeners"], [["name": "a", "udp": ["port": 1]]], "spec.listeners[0].udp.cluster: Required value"),
        (
            ["spec", "listeners"], [["name": "a", "udp": ["port": 1, "cluster": ["name": "c", "service_discovery": "dns"]]]],
            "Unsupported value: \"dns\": supported values: \"strictdns\", \"eds\""
        ),
        (
            ["spec", "listeners"],
            [
                [
                    "name": "a",
                    "udp": [
                        "port": 1,
                        "cluster": [
                            "name": "c", "service_discovery": "eds",
                            "endpoints": [["name": "e", "port": 1, "host": ["address": "a", "selector": ["b": "c"]]]],
                        ],
                    ],
                ]
            ],
            "must validate one and only one schema (oneOf). Found 2 valid alternatives"
        ),
    ]

    @Test(arguments: refused.indices)
    func refuses(index: Int) throws {
        let simulator = try startSimulator()
        let (path, value, message) = Self.refused[index]
        var object = virtualService("a")
        if path.count == 1 { object[path[0]] = value } else { object[path[0], path[1]] = value }
        let (code, status) = simulator.request("POST", virtualServices, body: object)
        #expect(code == 422)
        #expect(status["reason"] == "Invalid")
        #expect(status["message"]?.text?.hasPrefix("VirtualService.servicemesh.l7mp.io \"a\" is invalid: ") == true)
        #expect(status["message"]?.text?.contains(message) == true, "\(status["message"]?.text ?? "")")
        #expect(status["details", "causes"]?[0]?["field"] != nil)
    }

    @Test func prunesWarnsOrRefusesUnknownFields() throws {
        let simulator = try startSimulator()
        var object = virtualService("a")
        object["spec", "extra"] = ["x": 1]
        let strict = simulator.request("POST", virtualServices + "?fieldValidation=Strict", body: object)
        #expect(strict.code == 400)
        #expect(strict.body["message"]?.text?.hasSuffix("strict decoding error: unknown field \"spec.extra\"") == true)
        let created = simulator.request("POST", virtualServices, body: object)
        #expect(created.code == 201)
        #expect(created.body["spec", "extra"] == nil)
    }

    @Test func servesDefinitionsAndTheirDefaults() throws {
        let simulator = try KubeAPISimulator()
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "spec": [
                    "type": "object",
                    "properties": ["size": ["type": "integer", "default": 3], "any": ["x-kubernetes-int-or-string": true]],
                ]
            ],
        ]
        let created = try simulator.create([
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "things.example.com"],
            "spec": [
                "group": "example.com", "scope": "Cluster", "names": ["plural": "things", "kind": "Thing"],
                "versions": [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]],
            ],
        ])
        #expect(created["status", "conditions"]?[1]?["type"] == "Established")
        let thing = try simulator.create([
            "apiVersion": "example.com/v1", "kind": "Thing", "metadata": ["name": "t"], "spec": ["any": "5%"],
        ])
        #expect(thing["spec"] == ["any": "5%", "size": 3])
        try simulator.delete("CustomResourceDefinition", "things.example.com")
        #expect(simulator.request("GET", "/apis/example.com/v1/things").code == 404)
    }
}
