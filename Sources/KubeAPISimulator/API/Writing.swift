extension APIServer {
    /// What a write request says besides its object.
    struct WriteOptions {
        var isDryRun = false
        var manager: String
        var validation: String

        init(_ request: APIRequest) throws(StatusError) {
            manager = request.fieldManager
            isDryRun = request.query["dryRun"] == "All"
            validation = request.query["fieldValidation"] ?? "Warn"
            guard ["", "Ignore", "Warn", "Strict"].contains(validation) else {
                throw StatusError(
                    422, "Invalid",
                    "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"\(validation)\": "
                        + "supported values: \"\", \"Ignore\", \"Warn\", \"Strict\"")
            }
        }
    }

    mutating func create(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let object = try decodeBody(request)
        return try create(object, request, route, applied: false)
    }

    /// Creates `object`; `applied` when a server-side apply does it, which has set the managed fields.
    mutating func create(
        _ object: JSONValue, _ request: APIRequest, _ route: Route, applied: Bool
    ) throws(StatusError) -> CompleteResponse {
        let options = try WriteOptions(request)
        var object = object
        try checkIdentity(&object, route)
        let type = route.type
        if let prefix = object["metadata", "generateName"]?.text, object["metadata", "name"]?.text ?? "" == "" {
            object["metadata", "name"] = .string(prefix.prefix(58) + Self.randomSuffix())
        }
        let name = object["metadata", "name"]?.text ?? ""
        if name.isEmpty {
            throw .invalid(
                type, "",
                [
                    StatusCause(
                        reason: "FieldValueRequired", message: "Required value: name or generateName is required",
                        field: "metadata.name")
                ])
        }
        try checkNamespace(route, name)
        var warnings: [String] = []
        object = try shape(object, type, options, &warnings)
        if type.hasStatus { object["status"] = nil }
        if type.storageKey == "pods" { try admitAccount(of: &object, route, name) }
        if store.object(type, namespace: route.namespace, name: name) != nil { throw .alreadyExists(type, name) }
        if object["metadata", "resourceVersion"]?.text ?? "" != "" {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        prepareNew(&object, type, manager: applied ? nil : options.manager)
        try check(object, type, name)
        if type.isDefinition { DefinitionStatus.accept(&object, now: Timestamp.text(now)) }
        return try finish(object, 201, request, type, options, warnings)
    }

    /// Sets what the server sets on a new object.
    func prepareNew(_ object: inout JSONValue, _ type: ResourceType, manager: String?) {
        object["metadata", "uid"] = .string(Self.randomUID())
        object["metadata", "creationTimestamp"] = .string(Timestamp.text(now))
        object["metadata", "deletionTimestamp"] = nil
        object["metadata", "deletionGracePeriodSeconds"] = nil
        object["metadata", "generation"] = type.hasGeneration ? 1 : nil
        CoreDefaults.apply(to: &object, type)
        if let manager {
            object["metadata", "managedFields"] = nil
            ManagedFields.note(
                update: &object, from: nil, type, writer: FieldWriter(manager: manager, time: Timestamp.text(now)))
        }
    }

    mutating func update(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let object = try decodeBody(request)
        let options = try WriteOptions(request)
        guard let stored = store.object(route.type, namespace: route.namespace, name: route.name) else {
            throw .notFound(route.type, route.name)
        }
        return try replace(
            stored, by: object, request, route, options, writer: writer(options.manager, route))
    }

    func writer(_ manager: String, _ route: Route) -> FieldWriter {
        FieldWriter(manager: manager, time: Timestamp.text(now), subresource: route.subresource)
    }

    /// Stores `object` over `stored`, as the subresource allows.
    ///
    /// - Parameter writer: who wrote; nil when the managed fields in `object` are already right, as after an apply.
    mutating func replace(
        _ stored: StoredObject, by object: JSONValue, _ request: APIRequest, _ route: Route, _ options: WriteOptions,
        writer: FieldWriter?
    ) throws(StatusError) -> CompleteResponse {
        let type = route.type
        var object = object
        try checkIdentity(&object, route)
        let former = stored.value(as: type)
        if let version = object["metadata", "resourceVersion"]?.text, !version.isEmpty, version != String(stored.revision) {
            throw .conflict(type, route.name, StatusError.staleVersion)
        }
        // Only some types may be updated without a version.
        if request.method == "PUT", type.isCustom || type.isLease, object["metadata", "resourceVersion"]?.text ?? "" == "" {
            throw .invalid(
                type, route.name,
                [
                    StatusCause(
                        reason: "FieldValueInvalid", message: "Invalid value: 0: must be specified for an update",
                        field: "metadata.resourceVersion")
                ])
        }
        if let uid = object["metadata", "uid"]?.text, !uid.isEmpty, uid != former["metadata", "uid"]?.text {
            throw .conflict(
                type, route.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(former["metadata", "uid"]?.text ?? "")")
        }
        var warnings: [String] = []
        object = try shape(object, type, options, &warnings)
        object = Self.merged(former, object, type, subresource: route.subresource)
        CoreDefaults.apply(to: &object, type)
        if type.hasGeneration, Self.withoutMetadataAndStatus(object, type) != Self.withoutMetadataAndStatus(former, type) {
            object["metadata", "generation"] = .integer((former["metadata", "generation"]?.wholeNumber ?? 0) + 1)
        }
        try check(object, type, route.name, former: former)
        if type.isDefinition { DefinitionStatus.accept(&object, now: Timestamp.text(now)) }
        if let writer {
            if object["metadata", "managedFields"] == nil {
                object["metadata", "managedFields"] = former["metadata", "managedFields"]
            }
            ManagedFields.note(update: &object, from: former, type, writer: writer)
        }
        // A write that changes nothing makes no new version; the time of a managed field alone is no change.
        if ManagedFields.equalButTime(object, former) { return try respond(with: stored, request, type, warnings) }
        let finalizers = object["metadata", "finalizers"]?.elements ?? []
        let isDeleting = object["metadata", "deletionTimestamp"] != nil
        let spares = type.storageKey == "namespaces" && !(object["spec", "finalizers"]?.elements ?? []).isEmpty
        let grace = object["metadata", "deletionGracePeriodSeconds"]?.wholeNumber ?? 0
        if isDeleting, finalizers.isEmpty, grace == 0, !spares {
            if options.isDryRun { return try respond(with: stored, request, type, warnings) }
            // As the API server does: the last finalizer's removal deletes without storing the state between.
            let last = StoredObject(stored: object, over: stored, type)
            remove(last, type)
            return try respond(with: last, request, type, warnings)
        }
        return try finish(object, 200, request, type, options, warnings)
    }

    func respond(
        with object: StoredObject, _ request: APIRequest, _ type: ResourceType, _ warnings: [String], _ code: Int = 200
    ) throws(StatusError) -> CompleteResponse {
        var response = try represent(object, code: code, request, type)
        if !warnings.isEmpty {
            response.headers["Warning"] = warnings.map { "299 - \(JSONValue.string($0).encodedText)" }.joined(separator: ", ")
        }
        return response
    }

    private mutating func finish(
        _ object: JSONValue, _ code: Int, _ request: APIRequest, _ type: ResourceType, _ options: WriteOptions,
        _ warnings: [String]
    ) throws(StatusError) -> CompleteResponse {
        let stored = type.conversion == .events ? EventConversion.toCore(object) : object
        if options.isDryRun {
            let revision = UInt64(object["metadata", "resourceVersion"]?.text ?? "") ?? 0
            return try respond(with: StoredObject(stored, revision: revision, selectable: []), request, type, warnings, code)
        }
        let result = store.put(stored, as: type)
        if type.isDefinition { serve(object) }
        return try respond(with: result, request, type, warnings, code)
    }

    /// What is stored of `object`: the main resource keeps the former status, a subresource everything else.
    static func merged(_ former: JSONValue, _ object: JSONValue, _ type: ResourceType, subresource: String) -> JSONValue {
        var result = object
        if subresource == "status" {
            result = former
            result["status"] = object["status"]
            result["metadata", "managedFields"] = object["metadata", "managedFields"]
            return result
        }
        if type.hasStatus { result["status"] = former["status"] }
        for name in [
            "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace", "name",
        ] {
            result["metadata", name] = former["metadata", name]
        }
        return result
    }

    private static func withoutMetadataAndStatus(_ object: JSONValue, _ type: ResourceType) -> JSONValue {
        var object = object
        object["metadata"] = nil
        if type.hasStatus { object["status"] = nil }
        return object
    }

    /// Assigns a pod to a node, as a scheduler does.
    mutating func bind(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let binding = try decodeBody(request)
        guard let stored = store.object(route.type, namespace: route.namespace, name: route.name) else {
            throw .notFound(route.type, route.name)
        }
        var pod = stored.value(as: route.type)
        if pod["spec", "nodeName"] != nil {
            throw .conflict(route.type, route.name, "pod \(route.name) is already assigned to node")
        }
        pod["spec", "nodeName"] = binding["target", "name"]
        store.put(pod, as: route.type)
        return CompleteResponse(
            201, json: ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201])
    }
}

extension StoredObject {
    /// The last state of an object that is removed now.
    convenience init(stored object: JSONValue, over former: StoredObject, _ type: ResourceType) {
        self.init(
            type.conversion == .events ? EventConversion.toCore(object) : object, revision: former.revision,
            selectable: ObjectStore.selectableFields(of: type))
    }
}
