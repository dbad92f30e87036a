// What clients ask to learn which resources there are.
extension APIServer {
    private static let aggregated = "apidiscovery.k8s.io"

    /// The answer to a discovery request; nil for any other request.
    func discovery(_ request: APIRequest) -> CompleteResponse? {
        guard request.method == "GET" else { return nil }
        let segments = request.path.split(separator: "/").map(String.init)
        let wantsAggregated = request.headers["accept"]?.contains("g=\(Self.aggregated);v=v2;") ?? false
        switch segments {
        case []: return CompleteResponse(json: ["paths": ["/api", "/api/v1", "/apis", "/version"]])
        case ["version"]: return CompleteResponse(json: Self.version)
        case ["api"]:
            if wantsAggregated { return aggregatedGroups([""]) }
            return CompleteResponse(
                json: ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []])
        case ["apis"]:
            if wantsAggregated { return aggregatedGroups(groups) }
            return CompleteResponse(
                json: ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map { group($0) })])
        case ["api", "v1"]: return CompleteResponse(json: resources("", "v1"))
        case ["openapi", "v2"]: return CompleteResponse(json: OpenAPI.version2(types))
        case ["openapi", "v3"]: return CompleteResponse(json: OpenAPI.index(types))
        default: break
        }
        if segments.count == 2, segments[0] == "apis", groups.contains(segments[1]) {
            var group = group(segments[1])
            group["kind"] = "APIGroup"
            group["apiVersion"] = "v1"
            return CompleteResponse(json: group)
        }
        if segments.count == 3, segments[0] == "apis",
            types.contains(where: { $0.group == segments[1] && $0.version == segments[2] })
        {
            return CompleteResponse(json: resources(segments[1], segments[2]))
        }
        if segments.starts(with: ["openapi", "v3"]) {
            let path = segments.dropFirst(2).joined(separator: "/")
            let served = types.filter { OpenAPI.path(of: $0) == path }
            return served.isEmpty ? nil : CompleteResponse(json: OpenAPI.version3(served))
        }
        return nil
    }

    private static let version: JSONValue = [
        "major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": "linux/amd64",
    ]

    private var groups: [String] { Array(Set(types.map(\.group))).filter { !$0.isEmpty }.sorted() }

    private func versions(_ group: String) -> [String] {
        var seen: Set<String> = []
        return types.filter { $0.group == group && seen.insert($0.version).inserted }.map(\.version)
    }

    private func group(_ name: String) -> JSONValue {
        let versions = versions(name).map { version -> JSONValue in
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        return ["name": .string(name), "versions": .array(versions), "preferredVersion": versions.first ?? [:]]
    }

    private func resources(_ group: String, _ version: String) -> JSONValue {
        var resources: [JSONValue] = []
        for type in types where type.group == group && type.version == version {
            var resource: JSONValue = [
                "name": .string(type.plural), "singularName": .string(type.singular), "namespaced": .bool(type.isNamespaced),
                "kind": .string(type.kind), "verbs": .array(type.verbs.map(JSONValue.string)),
            ]
            if !type.shortNames.isEmpty { resource["shortNames"] = .array(type.shortNames.map(JSONValue.string)) }
            if !type.categories.isEmpty { resource["categories"] = .array(type.categories.map(JSONValue.string)) }
            resources.append(resource)
            if type.hasStatus {
                resources.append([
                    "name": .string("\(type.plural)/status"), "singularName": "", "namespaced": .bool(type.isNamespaced),
                    "kind": .string(type.kind), "verbs": ["get", "patch", "update"],
                ])
            }
        }
        let groupVersion = group.isEmpty ? version : "\(group)/\(version)"
        return [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(groupVersion), "resources": .array(resources),
        ]
    }

    private func aggregatedGroups(_ groups: [String]) -> CompleteResponse {
        let items = groups.map { group -> JSONValue in
            var metadata: JSONValue = ["creationTimestamp": .null]
            if !group.isEmpty { metadata["name"] = .string(group) }
            let versions = versions(group).map { version -> JSONValue in
                let served = types.filter { $0.group == group && $0.version == version }
                return ["version": .string(version), "freshness": "Current", "resources": .array(served.map(aggregatedResource))]
            }
            return ["metadata": metadata, "versions": .array(versions)]
        }
        let list: JSONValue = [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": [:], "items": .array(items),
        ]
        return CompleteResponse(
            contentType: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", body: list.encoded)
    }

    private func aggregatedResource(_ type: ResourceType) -> JSONValue {
        let kind: JSONValue = ["group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind)]
        var resource: JSONValue = [
            "resource": .string(type.plural), "responseKind": kind, "scope": type.isNamespaced ? "Namespaced" : "Cluster",
            "singularResource": .string(type.singular), "verbs": .array(type.verbs.map(JSONValue.string)),
        ]
        if !type.shortNames.isEmpty { resource["shortNames"] = .array(type.shortNames.map(JSONValue.string)) }
        if !type.categories.isEmpty { resource["categories"] = .array(type.categories.map(JSONValue.string)) }
        if type.hasStatus {
            resource["subresources"] = [["subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]]]
        }
        return resource
    }
}
