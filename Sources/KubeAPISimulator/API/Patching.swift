extension APIServer {
    mutating func patch(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let contentType = (request.headers["content-type"] ?? "").split(separator: ";").first.map(String.init) ?? ""
        if contentType == "application/apply-patch+yaml" { return try apply(request, route) }
        let type = route.type
        let accepted =
            ["application/json-patch+json", "application/merge-patch+json"]
            + (type.isCustom ? [] : ["application/strategic-merge-patch+json"])
        guard accepted.contains(contentType) else {
            throw StatusError(
                415, "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                    + (accepted + ["application/apply-patch+yaml"]).joined(separator: ", "))
        }
        let options = try WriteOptions(request)
        guard let stored = store.object(type, namespace: route.namespace, name: route.name) else {
            throw .notFound(type, route.name)
        }
        let patch: JSONValue
        do throws(JSONError) { patch = try JSONValue(parsing: request.body) } catch {
            throw .badRequest("error decoding patch: \(error.description)")
        }
        let live = stored.value(as: type)
        let object: JSONValue
        switch contentType {
        case "application/json-patch+json":
            do throws(JSONPatch.Failure) { object = try JSONPatch.apply(patch, to: live) } catch {
                if error.isMalformed { throw .badRequest("error decoding patch: \(error.description)") }
                throw StatusError(422, "Invalid", "the server rejected our request due to an error in our request", details: [:])
            }
        case "application/merge-patch+json": object = MergePatch.apply(patch, to: live)
        default: object = StrategicMergePatch.apply(patch, to: live, type.schema)
        }
        guard object.members != nil else { throw .badRequest("the patched object is no object") }
        return try replace(stored, by: object, request, route, options, writer: writer(options.manager, route))
    }

    private mutating func apply(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let type = route.type
        let options = try WriteOptions(request)
        guard request.query["fieldManager"] ?? "" != "" else {
            throw StatusError(
                422, "Invalid",
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
                details: [
                    "group": "meta.k8s.io", "kind": "PatchOptions",
                    "causes": [
                        StatusCause(
                            reason: "FieldValueRequired", message: "Required value: is required for apply patch",
                            field: "fieldManager"
                        ).value
                    ],
                ])
        }
        var configuration: JSONValue
        do throws(JSONError) {
            configuration = try JSONValue(yaml: String(decoding: request.body, as: UTF8.self))
        } catch { throw .badRequest("error decoding YAML: \(error.description)") }
        guard configuration.members != nil else { throw .badRequest("the applied configuration is no object") }
        guard configuration["apiVersion"]?.text != nil, configuration["kind"]?.text != nil else {
            throw .badRequest("Object 'Kind' is missing in '\(configuration.encodedText)'")
        }
        guard configuration["metadata", "managedFields"]?.isEmpty != false else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        try checkIdentity(&configuration, route)
        let merger = ServerSideApply(type: type, writer: writer(options.manager, route), isForced: request.flag("force"))
        guard let stored = store.object(type, namespace: route.namespace, name: route.name) else {
            guard route.subresource.isEmpty else { throw .notFound(type, route.name) }
            return try create(try merger.apply(configuration, to: nil), request, route, applied: true)
        }
        if let version = configuration["metadata", "resourceVersion"]?.text, !version.isEmpty, version != String(stored.revision)
        {
            throw .conflict(type, route.name, StatusError.staleVersion)
        }
        let merged = try merger.apply(configuration, to: stored.value(as: type))
        return try replace(stored, by: merged, request, route, options, writer: nil)
    }
}
