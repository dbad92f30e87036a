/// Everything the API server knows and decides: a request and the time go in, an answer comes out.
struct APIServer: Sendable {
    var store = ObjectStore()
    var settings = APISettings()
    private(set) var types = ResourceType.builtInTypes
    /// Seconds since 1970, with the skew; set before each request.
    var now = 0.0

    init(now: Double) {
        self.now = now
        for name in ["default", "kube-system"] {
            var namespace: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
            prepareNew(&namespace, type("namespaces"), manager: "kube-apiserver")
            namespace["status"] = ["phase": "Active"]
            store.put(namespace, as: type("namespaces"))
        }
    }

    /// The type that serves a built-in resource.
    func type(_ storageKey: String) -> ResourceType {
        types.first { $0.storageKey == storageKey } ?? ResourceType.builtInTypes[0]
    }

    /// The version at which a stored object of `type`'s resource is kept.
    func storageType(of type: ResourceType) -> ResourceType {
        types.first { $0.storageKey == type.storageKey && $0.apiVersion == type.storageAPIVersion } ?? type
    }

    /// Serves a CustomResourceDefinition's versions, instead of its former ones.
    mutating func serve(_ definition: JSONValue) {
        stopServing(definition)
        types += ResourceType.types(of: definition)
    }

    /// Serves a CustomResourceDefinition's versions no longer.
    mutating func stopServing(_ definition: JSONValue) {
        let plural = definition["spec", "names", "plural"]?.text
        let group = definition["spec", "group"]?.text
        types.removeAll { $0.isCustom && $0.plural == plural && $0.group == group }
    }

    /// Answers a request.
    mutating func respond(to request: APIRequest) -> APIResponse {
        do throws(StatusError) {
            return try answer(request)
        } catch {
            var response = CompleteResponse(error)
            // Errors come in the form that was asked for as well.
            if request.headers["accept"]?.hasPrefix(ProtobufFrames.contentType) == true {
                response.headers["Content-Type"] = ProtobufFrames.contentType
                response.body = ProtobufFrames.status(error.status)
            }
            return .complete(response)
        }
    }

    private mutating func answer(_ request: APIRequest) throws(StatusError) -> APIResponse {
        if ["/healthz", "/livez", "/readyz"].contains(request.path) {
            return .complete(CompleteResponse(contentType: "text/plain; charset=utf-8", body: Array("ok".utf8)))
        }
        let user = try settings.user(of: request)
        if let discovery = discovery(request) { return .complete(discovery) }
        guard let route = try Route(request, types) else { throw .noSuchPath }
        try settings.authorize(user, route)
        try authorizeByRoles(user, route)
        return try answer(request, route, user)
    }

    private mutating func answer(
        _ request: APIRequest, _ route: Route, _ user: String
    ) throws(StatusError) -> APIResponse {
        // The status is read and written as the object is, where it is a resource of its own.
        let isStatus = route.subresource == "status" && route.type.hasStatus
        switch (route.verb, isStatus && [.get, .update, .patch].contains(route.verb) ? "" : route.subresource) {
        case (.watch, ""): return .watch(try watch(request, route))
        case (.list, ""): return .complete(try list(request, route))
        case (.get, ""): return .complete(try get(request, route))
        case (.create, "") where route.type.isVirtual: return .complete(try review(request, route, user))
        case (.create, ""): return .complete(try create(request, route))
        case (.create, "token") where route.type.storageKey == "serviceaccounts": return .complete(try issueToken(request, route))
        case (.create, "binding") where route.type.storageKey == "pods": return .complete(try bind(request, route))
        case (.update, ""): return .complete(try update(request, route))
        case (.update, "finalize") where route.type.storageKey == "namespaces": return .complete(try update(request, route))
        case (.patch, ""): return .complete(try patch(request, route))
        case (.delete, ""): return .complete(try delete(request, route))
        case (.deletecollection, ""): return .complete(try deleteCollection(request, route))
        default: throw .noSuchPath
        }
    }
}
