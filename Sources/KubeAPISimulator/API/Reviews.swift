extension APIServer {
    /// Answers a TokenReview, a SelfSubjectAccessReview or a SubjectAccessReview.
    func review(_ request: APIRequest, _ route: Route, _ user: String) throws(StatusError) -> CompleteResponse {
        var review = try decodeBody(request)
        review["apiVersion"] = .string(route.type.apiVersion)
        review["kind"] = .string(route.type.kind)
        review["metadata"] = review["metadata"] ?? [:]
        if route.type.kind == "TokenReview" {
            let owner = settings.users[review["spec", "token"]?.text ?? ""]
            review["status"] =
                owner.map { ["authenticated": true, "user": ["username": .string($0), "groups": ["system:authenticated"]]] }
                ?? ["authenticated": false, "user": [:], "error": "invalid bearer token"]
        } else {
            let attributes = review["spec", "resourceAttributes"]
            var resource = attributes?["resource"]?.text ?? ""
            if let subresource = attributes?["subresource"]?.text, !subresource.isEmpty { resource += "/" + subresource }
            let subject = route.type.kind == "SubjectAccessReview" ? review["spec", "user"]?.text ?? "" : user
            let asked = AccessRequest(
                user: subject, verb: attributes?["verb"]?.text ?? "", group: attributes?["group"]?.text ?? "", resource: resource,
                namespace: attributes?["namespace"]?.text ?? "", name: attributes?["name"]?.text ?? "")
            let isAllowed = settings.allows(subject, verb: asked.verb, resource: resource) && rolesAllow(asked)
            review["status"] = isAllowed ? ["allowed": true] : ["allowed": false, "denied": true]
        }
        if case .protobuf = try Representation(request, route.type) {
            return CompleteResponse(201, contentType: ProtobufFrames.contentType, body: ProtobufFrames.object(review, route.type))
        }
        return CompleteResponse(201, json: review)
    }
}
