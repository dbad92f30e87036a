/// What a user wants to do, in the terms of authorization.
struct AccessRequest: Sendable {
    var user: String
    var verb: String
    var group: String
    /// With the subresource, such as `pods/status`.
    var resource: String
    /// Empty for all, and for what has none.
    var namespace: String
    /// Empty for a collection.
    var name: String
}

// Role-based access control: what bindings grant is allowed, and nothing else.
extension APIServer {
    /// Refuses what no role grants, when roles are enforced.
    func authorizeByRoles(_ user: String, _ route: Route) throws(StatusError) {
        // Everyone may ask what he may do.
        if route.type.storageKey == "selfsubjectaccessreviews.authorization.k8s.io" { return }
        let request = AccessRequest(
            user: user, verb: route.verb.rawValue, group: route.type.group, resource: route.resource, namespace: route.namespace,
            name: route.name)
        if rolesAllow(request) { return }
        let scope = route.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(route.namespace)\""
        throw .forbidden(
            route.type, route.name,
            "User \"\(user)\" cannot \(request.verb) resource \"\(request.resource)\" in API group \"\(request.group)\" \(scope)")
    }

    /// Whether the roles allow a request; true when they aren't enforced.
    func rolesAllow(_ request: AccessRequest) -> Bool {
        guard settings.enforcesRoles, request.user != "system:admin" else { return true }
        return rules(for: request).contains { Self.rule($0, allows: request) }
    }

    /// The rules of all roles that are bound to the user, everywhere or in the namespace of the request.
    private func rules(for request: AccessRequest) -> [JSONValue] {
        let everywhere = objects("clusterrolebindings").filter { Self.binding($0, names: request.user) }
        let here = objects("rolebindings").filter {
            !request.namespace.isEmpty && $0["metadata", "namespace"]?.text == request.namespace
                && Self.binding($0, names: request.user)
        }
        return (everywhere + here).flatMap { binding -> [JSONValue] in
            let isClusterRole = binding["roleRef", "kind"]?.text == "ClusterRole"
            let role = store.object(
                type("\(isClusterRole ? "clusterroles" : "roles").rbac.authorization.k8s.io"),
                namespace: isClusterRole ? "" : request.namespace, name: binding["roleRef", "name"]?.text ?? "")
            return role?.value(as: type("clusterroles.rbac.authorization.k8s.io"))["rules"]?.elements ?? []
        }
    }

    private func objects(_ plural: String) -> [JSONValue] {
        let type = type("\(plural).rbac.authorization.k8s.io")
        return store[type].objects.values.map { $0.value(as: type) }
    }

    private static func binding(_ binding: JSONValue, names user: String) -> Bool {
        let parts = user.split(separator: ":")
        let isAccount = parts.count == 4 && user.hasPrefix("system:serviceaccount:")
        var groups = ["system:authenticated"]
        if isAccount { groups += ["system:serviceaccounts", "system:serviceaccounts:\(parts[2])"] }
        return (binding["subjects"]?.elements ?? []).contains { subject in
            let name = subject["name"]?.text ?? ""
            switch subject["kind"]?.text {
            case "ServiceAccount": return "system:serviceaccount:\(subject["namespace"]?.text ?? ""):\(name)" == user
            case "User": return name == user
            case "Group": return groups.contains(name)
            default: return false
            }
        }
    }

    private static func rule(_ rule: JSONValue, allows request: AccessRequest) -> Bool {
        func has(_ member: String, _ wanted: [String]) -> Bool {
            (rule[member]?.elements ?? []).contains { $0.text == "*" || wanted.contains($0.text ?? "") }
        }
        let subresource = request.resource.split(separator: "/").dropFirst().first
        let names = rule["resourceNames"]?.elements ?? []
        return has("verbs", [request.verb]) && has("apiGroups", [request.group])
            && has("resources", [request.resource, subresource.map { "*/\($0)" } ?? request.resource])
            && (names.isEmpty || names.contains(.string(request.name)))
    }
}

extension APISettings {
    mutating func enforceRoles() {
        enforcesRoles = true
        if users.isEmpty { anonymousUser = "system:admin" }
    }
}
