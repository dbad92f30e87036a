/// Options that come from the environment: each stands in for the command-line option of the same name, when that is absent.
enum EnvironmentOptions {
    /// How an option is written on the command line.
    enum Kind {
        case value
        /// May be given several times; the variable holds a list separated by commas.
        case list
        /// Takes no value; the variable is true, 1 or yes.
        case flag
    }

    /// The options of each subcommand that a variable can stand in for.
    static let options: [String: [(name: String, kind: Kind)]] = [
        "serve": [
            ("manifests", .value), ("kubeconfig", .value), ("context", .value), ("xds-bind-address", .value),
            ("metrics-bind-address", .value),
            ("health-probe-bind-address", .value), ("namespace", .list), ("cross-namespace", .flag), ("log-level", .value),
            ("log-format", .value), ("maglev-table-size", .value), ("loops", .value), ("shutdown-grace-period", .value),
            ("leader-elect", .flag),
            ("xds-cluster-name", .value), ("answer-timeout", .value), ("lease-name", .value), ("lease-namespace", .value),
            ("replica-name", .value), ("status-rate", .value), ("status-burst", .value), ("finalizer-timeout", .value),
            ("xds-tls-cert", .value), ("xds-tls-key", .value), ("xds-tls-client-ca", .value), ("xds-identity", .list),
            ("xds-trust-domain", .value), ("xds-token-review", .flag), ("xds-token-audience", .list),
            ("xds-admin-identity", .list), ("xds-max-connection-age", .value),
        ] + LimitOptions.names.map { ($0, .value) },
        "validate": [("file", .list)],
        "translate": [
            ("file", .list), ("node", .value), ("type", .value), ("output", .value), ("cross-namespace", .flag),
            ("maglev-table-size", .value),
        ],
        "bootstrap": [
            ("xds-address", .value), ("node-id", .value), ("api", .value), ("admin-port", .value),
            ("tls-directory", .value), ("tls-server-name", .value), ("sds-directory", .value), ("server-tls-only", .flag),
        ],
    ]

    /// The variable that stands in for an option.
    static func variable(_ option: String) -> String {
        "XDS_OPERATOR_" + option.uppercased().replacing("-", with: "_")
    }

    /// `arguments` with the options added that only the environment gives.
    static func arguments(_ arguments: some Collection<String>, environment: [String: String]) -> [String] {
        var result = Array(arguments)
        guard let command = result.first, let options = options[command] else { return result }
        for (name, kind) in options {
            let option = "--\(name)"
            let short = name == "file" ? "-f" : name == "output" ? "-o" : option
            let isGiven = result.contains { $0 == option || $0 == short || $0.hasPrefix("\(option)=") }
            guard !isGiven, let value = environment[variable(name)], !value.isEmpty else { continue }
            switch kind {
            case .value: result += [option, value]
            case .list: result += value.split(separator: ",").flatMap { [option, String($0)] }
            case .flag: if ["true", "1", "yes"].contains(value.lowercased()) { result.append(option) }
            }
        }
        return result
    }
}
