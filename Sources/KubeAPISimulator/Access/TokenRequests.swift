extension APIServer {
    /// Issues a token of a service account, as a TokenRequest asks for; it never expires.
    mutating func issueToken(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        var answer = try decodeBody(request)
        guard store.object(route.type, namespace: route.namespace, name: route.name) != nil else {
            throw .notFound(route.type, route.name)
        }
        let seconds = answer["spec", "expirationSeconds"]?.wholeNumber ?? 3600
        guard (600...1 << 32).contains(seconds) else {
            throw StatusError(
                422, "Invalid",
                "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: \(seconds): "
                    + "may not specify a duration less than 10 minutes")
        }
        let token = "\(Self.randomUID()).\(Self.randomUID())"
        // Where everyone is the administrator, everyone stays it.
        if settings.enforcesRoles || !settings.users.isEmpty {
            settings.users[token] = "system:serviceaccount:\(route.namespace):\(route.name)"
        }
        answer["apiVersion"] = "authentication.k8s.io/v1"
        answer["kind"] = "TokenRequest"
        answer["metadata"] = ["name": .string(route.name), "namespace": .string(route.namespace)]
        answer["status"] = [
            "token": .string(token), "expirationTimestamp": .string(Timestamp.text(now + Double(seconds))),
        ]
        return CompleteResponse(201, json: answer)
    }
}
