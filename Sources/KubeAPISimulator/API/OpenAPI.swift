/// The least of OpenAPI that lets clients find out that the server validates fields itself.
enum OpenAPI {
    static func path(of type: ResourceType) -> String {
        type.group.isEmpty ? "api/\(type.version)" : "apis/\(type.group)/\(type.version)"
    }

    static func index(_ types: [ResourceType]) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        for type in types { paths[path(of: type)] = ["serverRelativeURL": .string("/openapi/v3/\(path(of: type))?hash=0")] }
        return ["paths": .object(paths)]
    }

    private static func kind(_ type: ResourceType) -> JSONValue {
        ["group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind)]
    }

    private static func itemPath(_ type: ResourceType) -> String {
        "/\(path(of: type))/\(type.isNamespaced ? "namespaces/{namespace}/" : "")\(type.plural)/{name}"
    }

    private static func operations(_ type: ResourceType, _ parameters: [JSONValue]) -> JSONValue {
        [
            "patch": [
                "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": kind(type), "parameters": .array(parameters),
                "responses": ["200": ["description": "OK"]],
            ]
        ]
    }

    static func version3(_ types: [ResourceType]) -> JSONValue {
        let parameters = ["dryRun", "fieldManager", "fieldValidation"].map { name -> JSONValue in
            ["name": .string(name), "in": "query", "schema": ["type": "string"]]
        }
        var paths: [String: JSONValue] = [:]
        var schemas: [String: JSONValue] = [:]
        for type in types {
            paths[itemPath(type)] = operations(type, parameters)
            schemas[schemaName(type)] = schema(type)
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": .object(paths),
            "components": ["schemas": .object(schemas)],
        ]
    }

    static func version2(_ types: [ResourceType]) -> JSONValue {
        let parameters = ["dryRun", "fieldManager", "fieldValidation"].map { name -> JSONValue in
            ["name": .string(name), "in": "query", "type": "string", "uniqueItems": true]
        }
        var paths: [String: JSONValue] = [:]
        var definitions: [String: JSONValue] = [:]
        for type in types {
            paths[itemPath(type)] = operations(type, parameters)
            definitions[schemaName(type)] = schema(type)
        }
        return [
            "swagger": "2.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": .object(paths),
            "definitions": .object(definitions),
        ]
    }

    private static func schemaName(_ type: ResourceType) -> String {
        ((type.group.isEmpty ? "core" : type.group).split(separator: ".").reversed() + [
            Substring(type.version), Substring(type.kind),
        ])
        .joined(separator: ".")
    }

    private static func schema(_ type: ResourceType) -> JSONValue {
        ["type": "object", "x-kubernetes-group-version-kind": [kind(type)], "x-kubernetes-preserve-unknown-fields": true]
    }
}
