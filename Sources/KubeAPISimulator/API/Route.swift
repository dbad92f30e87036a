/// What a request is about, in the terms of authorization.
struct Route: Sendable {
    enum Verb: String, Sendable {
        case get, list, watch, create, update, patch, delete, deletecollection
    }

    var type: ResourceType
    var verb: Verb
    var namespace = ""
    var name = ""
    var subresource = ""

    /// Such as `pods/status`.
    var resource: String { subresource.isEmpty ? type.plural : "\(type.plural)/\(subresource)" }

    /// Reads the path of a request; nil when it is not of a served resource.
    init?(_ request: APIRequest, _ types: [ResourceType]) throws(StatusError) {
        var segments = request.path.split(separator: "/").map { APIRequest.decode($0) }[...]
        let root = segments.popFirst()
        var group = ""
        if root == "apis" { group = segments.popFirst() ?? "" } else if root != "api" { return nil }
        guard let version = segments.popFirst() else { return nil }
        if segments.first == "namespaces", segments.count > 2,
            !["status", "finalize"].contains(segments[segments.startIndex + 2])
        {
            namespace = segments[segments.startIndex + 1]
            segments = segments.dropFirst(2)
        }
        guard let plural = segments.popFirst(),
            let type = types.first(where: { $0.group == group && $0.version == version && $0.plural == plural })
        else { return nil }
        self.type = type
        name = segments.popFirst() ?? ""
        subresource = segments.popFirst() ?? ""
        guard segments.isEmpty, type.isNamespaced || namespace.isEmpty else { return nil }
        guard let verb = Self.verb(request, hasName: !name.isEmpty) else {
            throw StatusError(
                405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details: [:])
        }
        self.verb = verb
    }

    private static func verb(_ request: APIRequest, hasName: Bool) -> Verb? {
        switch (request.method, hasName) {
        case ("GET", true): request.flag("watch") ? .watch : .get
        case ("GET", false): request.flag("watch") ? .watch : .list
        case ("POST", _): .create
        case ("PUT", true): .update
        case ("PATCH", true): .patch
        case ("DELETE", true): .delete
        case ("DELETE", false): .deletecollection
        default: nil
        }
    }
}
