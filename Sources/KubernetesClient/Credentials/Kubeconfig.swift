import Yams

/// Reads kubeconfig files, in YAML or JSON (Kubernetes documentation, Organizing Cluster Access Using kubeconfig Files).
///
/// Of several files the first that names a cluster, a user or a context wins, and the first that has a current context. Relative
/// paths are relative to the file they stand in.
public struct Kubeconfig {
    /// An entry and the directory of the file it stands in.
    private struct Entry {
        let value: Node
        let directory: String
    }

    private var clusters: [String: Entry] = [:]
    private var users: [String: Entry] = [:]
    private var contexts: [String: Entry] = [:]
    private var currentContext: String?
    private let paths: [String]

    /// The configuration that `context` of the files stands for, or their current context.
    /// - Parameter paths: files; of several those that are missing are passed over.
    public static func configuration(paths: [String], context: String? = nil) throws(ClusterConfigurationError)
        -> ClusterConfiguration
    {
        try Kubeconfig(paths: paths).configuration(context: context)
    }

    /// The files that the value of `KUBECONFIG` names.
    public static func paths(environmentValue: String) -> [String] {
        environmentValue.split(separator: ":").map(String.init)
    }

    private init(paths: [String]) throws(ClusterConfigurationError) {
        self.paths = paths
        var missing: ClusterConfigurationError?
        var isAnyRead = false
        for path in paths {
            let bytes: [UInt8]
            do throws(ClusterConfigurationError) {
                bytes = try FileReading.read(path)
            } catch {
                missing = missing ?? error
                continue
            }
            isAnyRead = true
            try read(bytes, path)
        }
        if !isAnyRead { throw missing ?? ClusterConfigurationError("no kubeconfig file is named") }
    }

    private mutating func read(_ bytes: [UInt8], _ path: String) throws(ClusterConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ClusterConfigurationError("\(path) is no YAML: \(error)")
        }
        // An empty file is an empty configuration.
        guard let root else { return }
        guard root.mapping != nil else { throw ClusterConfigurationError("\(path) is no kubeconfig: it holds no map") }
        let directory = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        Kubeconfig.add(root, "clusters", "cluster", directory, to: &clusters)
        Kubeconfig.add(root, "users", "user", directory, to: &users)
        Kubeconfig.add(root, "contexts", "context", directory, to: &contexts)
        if currentContext == nil { currentContext = root.text("current-context") }
    }

    private static func add(
        _ root: Node, _ list: String, _ member: String, _ directory: String, to entries: inout [String: Entry]
    ) {
        for element in root.mapping?[list]?.sequence ?? [] {
            guard let name = element.text("name"), entries[name] == nil else { continue }
            entries[name] = Entry(value: element.mapping?[member] ?? Node([(Node, Node)]()), directory: directory)
        }
    }

    // MARK: - Resolving

    private func configuration(context name: String?) throws(ClusterConfigurationError) -> ClusterConfiguration {
        let place = paths.joined(separator: ":")
        guard let name = name ?? currentContext else {
            throw ClusterConfigurationError("\(place) has no current-context: give --context, one of \(list(contexts))")
        }
        guard let context = contexts[name]?.value else {
            throw ClusterConfigurationError("\(place) has no context \(name); it has \(list(contexts))")
        }
        guard let clusterName = context.text("cluster"), let cluster = clusters[clusterName] else {
            throw ClusterConfigurationError("\(place): context \(name) names no cluster of the file; it has \(list(clusters))")
        }
        var result = try configuration(of: cluster, "\(place): cluster \(clusterName)")
        if let userName = context.text("user") {
            guard let user = users[userName] else {
                throw ClusterConfigurationError(
                    "\(place): context \(name) names the user \(userName); the file has \(list(users))")
            }
            result.user = try self.user(user, "\(place): user \(userName)")
        }
        result.namespace = context.text("namespace")
        return result
    }

    private func configuration(of cluster: Entry, _ place: String) throws(ClusterConfigurationError) -> ClusterConfiguration {
        guard let text = cluster.value.text("server"), let server = ServerURL(text) else {
            throw ClusterConfigurationError("\(place): server must be a URL such as https://10.0.0.1:6443")
        }
        var result = ClusterConfiguration(server: server)
        result.authority = try content(cluster, "certificate-authority", .certificates, place)
        result.isInsecure = try flag(cluster, "insecure-skip-tls-verify", place)
        if result.isInsecure, result.authority != nil {
            throw ClusterConfigurationError("\(place): insecure-skip-tls-verify and a certificate-authority exclude each other")
        }
        result.tlsServerName = cluster.value.text("tls-server-name")
        result.proxy = cluster.value.text("proxy-url")
        return result
    }

    private func user(_ entry: Entry, _ place: String) throws(ClusterConfigurationError) -> UserConfiguration {
        for unsupported in ["auth-provider", "as", "as-uid", "as-groups", "as-user-extra"]
        where entry.value.mapping?[unsupported] != nil {
            throw ClusterConfigurationError("\(place): \(unsupported) is not supported; use a token, a certificate or exec")
        }
        var user = UserConfiguration()
        // As kubectl does it: a file wins over a token in the configuration.
        if let path = entry.value.text("tokenFile") {
            user.token = .file(absolute(path, entry))
        } else if let token = entry.value.text("token") {
            user.token = .inline(try RotatingFile.checked(Array(token.utf8), .token, "\(place): token"))
        }
        user.certificate = try content(entry, "client-certificate", .certificate, place)
        user.key = try content(entry, "client-key", .key, place)
        guard (user.certificate == nil) == (user.key == nil) else {
            throw ClusterConfigurationError("\(place): client-certificate and client-key go together")
        }
        if let name = entry.value.text("username"), let password = entry.value.text("password") {
            user.basic = "\(name):\(password)"
        }
        if let exec = entry.value.mapping?["exec"] { user.exec = try self.exec(exec, entry, place) }
        return user
    }

    private func exec(_ node: Node, _ entry: Entry, _ place: String) throws(ClusterConfigurationError) -> ExecConfiguration {
        guard let command = node.text("command") else { throw ClusterConfigurationError("\(place): exec has no command") }
        let versions = ExecConfiguration.apiVersions
        guard let version = node.text("apiVersion"), versions.contains(version) else {
            throw ClusterConfigurationError("\(place): exec.apiVersion must be \(versions.joined(separator: " or "))")
        }
        guard node.text("interactiveMode") != "Always" else {
            throw ClusterConfigurationError(
                "\(place): exec.interactiveMode is Always, but there is nobody to answer; use IfAvailable or Never")
        }
        let environment = (node.mapping?["env"]?.sequence ?? []).compactMap { element in
            element.text("name").map { (name: $0, value: element.text("value") ?? "") }
        }
        return ExecConfiguration(
            command: command.contains("/") ? absolute(command, entry) : command,
            arguments: (node.mapping?["args"]?.sequence ?? []).compactMap { $0.scalar?.string }, environment: environment,
            apiVersion: version, installHint: node.text("installHint"),
            providesClusterInfo: node.text("provideClusterInfo") == "true")
    }

    // MARK: - Values

    /// What `NAME-data` holds in base64, or the file that `NAME` names.
    private func content(
        _ entry: Entry, _ name: String, _ kind: RotatingFile.Kind, _ place: String
    ) throws(ClusterConfigurationError) -> ClusterConfiguration.Content? {
        if let text = entry.value.text("\(name)-data") {
            guard let bytes = FileReading.base64(text) else {
                throw ClusterConfigurationError("\(place): \(name)-data is no base64")
            }
            return .inline(try RotatingFile.checked(bytes, kind, "\(place): \(name)-data"))
        }
        return entry.value.text(name).map { .file(absolute($0, entry)) }
    }

    private func flag(_ entry: Entry, _ name: String, _ place: String) throws(ClusterConfigurationError) -> Bool {
        switch entry.value.text(name) {
        case nil, "false": return false
        case "true": return true
        case let text?: throw ClusterConfigurationError("\(place): \(name) must be true or false, not \(text)")
        }
    }

    private func absolute(_ path: String, _ entry: Entry) -> String { path.hasPrefix("/") ? path : "\(entry.directory)/\(path)" }

    private func list(_ entries: [String: Entry]) -> String {
        entries.isEmpty ? "none" : entries.keys.sorted().joined(separator: ", ")
    }
}

extension Node {
    /// The text of member `name`; nil when it is absent, empty or no scalar.
    fileprivate func text(_ name: String) -> String? {
        guard let scalar = mapping?[Node(name)]?.scalar, !scalar.string.isEmpty else { return nil }
        return scalar.string == "null" && scalar.style == .plain ? nil : scalar.string
    }
}
