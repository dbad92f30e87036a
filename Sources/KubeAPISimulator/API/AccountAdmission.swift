extension APIServer {
    /// Gives a new pod the account that it runs as, which must exist; that of the name `default` is made by a controller, where one runs.
    func admitAccount(of pod: inout JSONValue, _ route: Route, _ name: String) throws(StatusError) {
        let stated = pod["spec", "serviceAccountName"]?.text ?? ""
        let account = stated.isEmpty ? "default" : stated
        let accounts = type("serviceaccounts")
        let isMade = settings.hasControllers && account == "default"
        guard isMade || store.object(accounts, namespace: route.namespace, name: account) != nil else {
            throw .forbidden(
                route.type, name,
                "error looking up service account \(route.namespace)/\(account): serviceaccount \"\(account)\" not found")
        }
        if pod["spec"]?.members != nil {
            pod["spec", "serviceAccountName"] = .string(account)
            pod["spec", "serviceAccount"] = .string(account)
        }
    }
}
