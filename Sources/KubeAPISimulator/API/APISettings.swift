/// A request that authorization refuses.
public struct Denial: Hashable, Sendable {
    /// The verb, such as `list`; `*` for all.
    public var verb: String
    /// The resource, such as `pods` or `virtualservices/status`; `*` for all.
    public var resource: String
    /// The user; nil for all.
    public var user: String?

    /// Denies `verb` on `resource`.
    public init(verb: String, resource: String, user: String? = nil) {
        self.verb = verb
        self.resource = resource
        self.user = user
    }
}

/// How the API server behaves, as tests change it.
struct APISettings: Sendable {
    /// The users by token; without any, and without certificates, everyone is the administrator.
    var users: [String: String] = [:]
    /// Whether clients may prove who they are by a certificate.
    var asksForCertificates = false
    var denials: [Denial] = []
    /// Whether users may do only what roles in the store grant them.
    var enforcesRoles = false
    /// Who presents no token, where there are users; nil: nobody.
    var anonymousUser: String?
    /// Whether what a controller manager does is done: namespaces have an account, and are emptied when they are deleted.
    var hasControllers = true
    /// Seconds that the server's clock is ahead.
    var clockSkew = 0.0
    var sendsBookmarks = true
    /// Seconds between two bookmarks of a watch.
    var bookmarkInterval = 60.0
    /// What a request for a streaming list is answered with when not supported: 400 or 422.
    var streamingListRefusal: Int?

    func user(of request: APIRequest) throws(StatusError) -> String {
        if let user = request.certificateUser { return user }
        if users.isEmpty, !asksForCertificates { return "system:admin" }
        if request.headers["authorization"] == nil, let anonymousUser { return anonymousUser }
        guard let header = request.headers["authorization"], header.lowercased().hasPrefix("bearer "),
            let user = users[String(header.dropFirst(7)).trimmed]
        else { throw .unauthorized }
        return user
    }

    func allows(_ user: String, verb: String, resource: String) -> Bool {
        !denials.contains { denial in
            (denial.verb == "*" || denial.verb == verb) && (denial.resource == "*" || denial.resource == resource)
                && (denial.user == nil || denial.user == user)
        }
    }

    func authorize(_ user: String, _ route: Route) throws(StatusError) {
        if allows(user, verb: route.verb.rawValue, resource: route.resource) { return }
        let scope = route.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(route.namespace)\""
        throw .forbidden(
            route.type, route.name,
            "User \"\(user)\" cannot \(route.verb.rawValue) resource \"\(route.resource)\" in API group \"\(route.type.group)\" \(scope)"
        )
    }
}
