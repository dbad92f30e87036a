extension APIServer {
    mutating func delete(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let options = try deleteOptions(request)
        guard let stored = store.object(route.type, namespace: route.namespace, name: route.name) else {
            throw .notFound(route.type, route.name)
        }
        let metadata = stored.value(as: route.type)["metadata"] ?? [:]
        if let uid = options["preconditions", "uid"]?.text, uid != metadata["uid"]?.text {
            throw .conflict(
                route.type, route.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(metadata["uid"]?.text ?? "")")
        }
        if let version = options["preconditions", "resourceVersion"]?.text, version != String(stored.revision) {
            throw .conflict(
                route.type, route.name,
                "Precondition failed: ResourceVersion in precondition: \(version), ResourceVersion in object meta: \(stored.revision)"
            )
        }
        if request.query["dryRun"] == "All" || options["dryRun"]?.elements?.isEmpty == false {
            return try represent(stored, request, route.type)
        }
        let (last, isGone) = delete(stored, route.type, options)
        if isGone, !route.type.returnsDeletedObject {
            var details = StatusError.details(route.type, route.name)
            details["uid"] = metadata["uid"]
            return CompleteResponse(
                json: ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details])
        }
        return try represent(last, request, route.type)
    }

    mutating func deleteCollection(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let filter = try filter(request, route)
        let options = try deleteOptions(request)
        let objects = store[route.type].objects
        let victims = store[route.type].keys().compactMap { objects[$0] }.filter(filter.matches)
        let listed = try list(request, route)
        if request.query["dryRun"] != "All" {
            for victim in victims { _ = delete(victim, route.type, options) }
        }
        return listed
    }

    private func deleteOptions(_ request: APIRequest) throws(StatusError) -> JSONValue {
        var options: JSONValue = request.body.isEmpty ? [:] : try decodeBody(request)
        for name in ["propagationPolicy"] {
            if let value = request.query[name] { options[name] = .string(value) }
        }
        if let value = request.query["gracePeriodSeconds"].flatMap(Int64.init) { options["gracePeriodSeconds"] = .integer(value) }
        return options
    }

    /// Deletes, or marks as being deleted what finalizers or a kubelet hold; returns the last state and whether it is gone.
    mutating func delete(_ stored: StoredObject, _ type: ResourceType, _ options: JSONValue) -> (StoredObject, isGone: Bool) {
        let storage = storageType(of: type)
        var object = stored.value(as: storage)
        var finalizers = object["metadata", "finalizers"]?.elements ?? []
        switch options["propagationPolicy"]?.text {
        case "Foreground" where !finalizers.contains("foregroundDeletion"): finalizers.append("foregroundDeletion")
        case "Orphan" where !finalizers.contains("orphan"): finalizers.append("orphan")
        default: break
        }
        let grace = gracePeriod(object, type, options)
        let holdsContent = type.storageKey == "namespaces"
        if finalizers.isEmpty, grace == 0, !holdsContent {
            return (remove(stored, type), true)
        }
        object["metadata", "finalizers"] = finalizers.isEmpty ? nil : .array(finalizers)
        if object["metadata", "deletionTimestamp"] == nil {
            object["metadata", "deletionTimestamp"] = .string(Timestamp.text(now + Double(grace)))
            object["metadata", "deletionGracePeriodSeconds"] = .integer(grace)
            if let generation = object["metadata", "generation"]?.wholeNumber {
                object["metadata", "generation"] = .integer(generation + 1)
            }
        } else if let present = object["metadata", "deletionGracePeriodSeconds"]?.wholeNumber, grace < present {
            object["metadata", "deletionGracePeriodSeconds"] = .integer(grace)
            object["metadata", "deletionTimestamp"] = .string(Timestamp.text(now + Double(grace)))
        }
        if holdsContent { object["status", "phase"] = "Terminating" }
        let marked = object == stored.value(as: storage) ? stored : store.put(object, as: storage)
        if holdsContent, settings.hasControllers { emptyNamespace(stored.name) }
        return (marked, false)
    }

    /// Seconds that a pod's kubelet gets; 0 for what no kubelet runs.
    private func gracePeriod(_ object: JSONValue, _ type: ResourceType, _ options: JSONValue) -> Int64 {
        guard type.storageKey == "pods", object["spec", "nodeName"]?.text ?? "" != "" else { return 0 }
        if ["Succeeded", "Failed"].contains(object["status", "phase"]?.text ?? "") { return 0 }
        return options["gracePeriodSeconds"]?.wholeNumber ?? object["spec", "terminationGracePeriodSeconds"]?.wholeNumber ?? 30
    }

    /// Removes an object and what depends on it.
    @discardableResult
    mutating func remove(_ stored: StoredObject, _ type: ResourceType) -> StoredObject {
        let storage = storageType(of: type)
        let last = store.remove(stored, as: storage)
        if type.isDefinition {
            let definition = stored.value(as: storage)
            for type in ResourceType.types(of: definition).prefix(1) {
                for object in store[type].objects.values { store.remove(object, as: type) }
            }
            stopServing(definition)
        }
        if storage.isNamespaced { finishNamespace(stored.namespace) }
        return last
    }

    /// Deletes what a namespace holds, as the namespace controller does.
    private mutating func emptyNamespace(_ name: String) {
        var seen: Set<String> = []
        for type in types where type.isNamespaced && !type.isVirtual && seen.insert(type.storageKey).inserted {
            for object in store[type].objects.values where object.namespace == name {
                _ = delete(object, type, ["gracePeriodSeconds": 0])
            }
        }
        finishNamespace(name)
    }

    /// Removes a namespace that is being deleted once nothing is in it.
    private mutating func finishNamespace(_ name: String) {
        let namespaces = type("namespaces")
        guard settings.hasControllers, let namespace = store.object(namespaces, namespace: "", name: name),
            namespace.fields["status.phase"] == "Terminating",
            namespace.value(as: namespaces)["metadata", "finalizers"]?.elements?.isEmpty != false
        else { return }
        for type in types where type.isNamespaced && !type.isVirtual {
            if store[type].objects.values.contains(where: { $0.namespace == name }) { return }
        }
        store.remove(namespace, as: namespaces)
    }
}
