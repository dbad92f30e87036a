// What a write must pass before it is stored.
extension APIServer {
    func decodeBody(_ request: APIRequest) throws(StatusError) -> JSONValue {
        let contentType = request.headers["content-type"] ?? "application/json"
        let object: JSONValue
        if contentType.hasPrefix(ProtobufFrames.contentType) {
            guard let object = ProtobufFrames.decode(request.body) else {
                throw StatusError(
                    415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml"
                )
            }
            return object
        }
        do throws(JSONError) {
            object =
                contentType.contains("yaml")
                ? try JSONValue(yaml: String(decoding: request.body, as: UTF8.self)) : try JSONValue(parsing: request.body)
        } catch {
            throw .badRequest("the object provided is unrecognized (must be of type \(contentType)): \(error.description)")
        }
        guard object.members != nil else { throw .badRequest("the object provided is unrecognized: an object was expected") }
        return object
    }

    /// Checks that the object is what the path says, and completes it.
    func checkIdentity(_ object: inout JSONValue, _ route: Route) throws(StatusError) {
        let type = route.type
        if let version = object["apiVersion"]?.text, !version.isEmpty, version != type.apiVersion {
            throw .badRequest(
                "the API version in the data (\(version)) does not match the expected API version (\(type.apiVersion))")
        }
        if let kind = object["kind"]?.text, !kind.isEmpty, kind != type.kind {
            throw .badRequest("\(kind) in version \"\(type.version)\" cannot be handled as a \(type.kind)")
        }
        guard object["metadata"] == nil || object["metadata"]?.members != nil || object["metadata"] == .null else {
            throw .badRequest(
                "\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): metadata must be an object")
        }
        try TimeRules.check(object, type)
        object["apiVersion"] = .string(type.apiVersion)
        object["kind"] = .string(type.kind)
        if type.isNamespaced {
            let namespace = object["metadata", "namespace"]?.text ?? ""
            guard namespace.isEmpty || namespace == route.namespace else {
                throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
            }
            guard !route.namespace.isEmpty else { throw .badRequest("an empty namespace may not be set during creation") }
            object["metadata", "namespace"] = .string(route.namespace)
        } else {
            object["metadata", "namespace"] = nil
        }
        if !route.name.isEmpty {
            let name = object["metadata", "name"]?.text ?? ""
            guard name.isEmpty || name == route.name else {
                throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(route.name))")
            }
            object["metadata", "name"] = .string(route.name)
        }
    }

    /// Checks that an object may be created in its namespace.
    func checkNamespace(_ route: Route, _ name: String) throws(StatusError) {
        guard route.type.isNamespaced else { return }
        let namespaces = type("namespaces")
        guard let namespace = store.object(namespaces, namespace: "", name: route.namespace) else {
            throw .notFound(namespaces, route.namespace)
        }
        if namespace.fields["status.phase"] == "Terminating" {
            var error = StatusError.forbidden(
                route.type, name, "unable to create new content in namespace \(route.namespace) because it is being terminated")
            error.details?["causes"] = [
                StatusCause(
                    reason: "NamespaceTerminating", message: "namespace \(route.namespace) is being terminated",
                    field: "metadata.namespace"
                ).value
            ]
            throw error
        }
    }

    /// Prunes what the schema doesn't know and fills in defaults.
    func shape(
        _ object: JSONValue, _ type: ResourceType, _ options: WriteOptions, _ warnings: inout [String]
    ) throws(StatusError) -> JSONValue {
        guard type.isCustom, let schema = type.schema else { return object }
        var object = object
        let unknown = schema.prune(&object).map { "unknown field \"\($0)\"" }
        if !unknown.isEmpty, options.validation == "Strict" {
            throw .badRequest(
                "\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): "
                    + "strict decoding error: \(unknown.joined(separator: ", "))")
        }
        if options.validation == "Warn" || options.validation.isEmpty { warnings += unknown }
        schema.applyDefaults(to: &object)
        return object
    }

    /// Checks an object that is complete.
    func check(_ object: JSONValue, _ type: ResourceType, _ name: String, former: JSONValue? = nil) throws(StatusError) {
        var causes = ObjectRules.causes(of: object, type)
        if type.isCustom, let schema = type.schema { causes += SchemaValidation.causes(of: object, schema) }
        if type.storageKey == "pods" { causes += PodRules.causes(of: object, former: former) }
        if type.isLease { causes += LeaseRules.causes(of: object) }
        if type.storageKey == "events" { causes += EventRules.causes(of: object, type, former: former) }
        if former?["metadata", "deletionTimestamp"] != nil {
            let before = Set(former?["metadata", "finalizers"]?.elements ?? [])
            let added = (object["metadata", "finalizers"]?.elements ?? []).filter { !before.contains($0) }
            if !added.isEmpty {
                causes.append(
                    StatusCause(
                        reason: "FieldValueForbidden",
                        message: "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                            + "[]string{\(added.map(\.encodedText).joined(separator: ", "))}",
                        field: "metadata.finalizers"))
            }
        }
        if !causes.isEmpty { throw .invalid(type, name, causes) }
    }

    /// Five letters and digits, without those that could make a word.
    static func randomSuffix() -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).compactMap { _ in alphabet.randomElement() })
    }

    /// A random UUID (RFC 9562, version 4).
    static func randomUID() -> String {
        var digits = Array(String(repeating: "0", count: 32).utf8)
        for index in digits.indices { digits[index] = Array("0123456789abcdef".utf8)[Int.random(in: 0..<16)] }
        digits[12] = UInt8(ascii: "4")
        digits[16] = UInt8(ascii: "a")
        let text = String(decoding: digits, as: UTF8.self)
        var parts: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
