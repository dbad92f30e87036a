import FoundationEssentials
import Kubernetes

/// A program that makes credentials, as a kubeconfig names it (Kubernetes documentation, client-go credential plugins).
public struct ExecConfiguration: Sendable, Equatable {
    /// The versions of the protocol that are spoken.
    static let apiVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    /// A path, or a name that is looked up in `PATH`.
    public var command: String
    /// The arguments.
    public var arguments: [String]
    /// Variables to add to the environment.
    public var environment: [(name: String, value: String)]
    /// The version of the protocol.
    public var apiVersion: String
    /// What to tell people when the program is missing.
    public var installHint: String?
    /// Whether the program is told about the cluster.
    public var providesClusterInfo: Bool

    public static func == (left: ExecConfiguration, right: ExecConfiguration) -> Bool {
        left.command == right.command && left.arguments == right.arguments && left.apiVersion == right.apiVersion
            && left.environment.elementsEqual(right.environment, by: ==) && left.installHint == right.installHint
            && left.providesClusterInfo == right.providesClusterInfo
    }
}

/// What such a program makes: the `status` of an `ExecCredential`.
struct ExecCredential: Sendable, Equatable {
    /// Credentials are renewed that much before they expire.
    private static let margin: Int64 = 10

    var token: String?
    var certificate: [UInt8]?
    var key: [UInt8]?
    /// Seconds since 1970; nil when it lasts as long as the process.
    var expiry: Int64?

    func isExpired(at seconds: Int64) -> Bool { expiry.map { seconds >= $0 - ExecCredential.margin } ?? false }

    /// Reads what the program wrote.
    init(output: [UInt8], configuration: ExecConfiguration) throws(APITransportError) {
        func failure(_ text: String) -> APITransportError {
            APITransportError("the credential program \(configuration.command) \(text)")
        }
        guard let value = try? JSONParser.parse(output), value["kind"]?.text == "ExecCredential" else {
            throw failure("wrote no ExecCredential in JSON")
        }
        guard value["apiVersion"]?.text == configuration.apiVersion else {
            throw failure(
                "wrote an ExecCredential of \(value["apiVersion"]?.text ?? "no version"), not of \(configuration.apiVersion)")
        }
        let status = value["status"]
        do {
            if let text = status?["token"]?.text, !text.isEmpty {
                token = String(decoding: try RotatingFile.checked(Array(text.utf8), .token, "status.token"), as: UTF8.self)
            }
            certificate = try status?["clientCertificateData"]?.text.map {
                try RotatingFile.checked(Array($0.utf8), .certificate, "status.clientCertificateData")
            }
            key = try status?["clientKeyData"]?.text.map {
                try RotatingFile.checked(Array($0.utf8), .key, "status.clientKeyData")
            }
        } catch {
            throw failure("wrote what can't be used: \(error)")
        }
        guard (certificate == nil) == (key == nil) else { throw failure("wrote only one of a certificate and its key") }
        guard token != nil || certificate != nil else { throw failure("wrote neither a token nor a certificate") }
        if let text = status?["expirationTimestamp"]?.text {
            guard let seconds = Timestamp.seconds(text) else {
                throw failure("wrote an expirationTimestamp that is no time: \(text)")
            }
            expiry = seconds
        }
    }
}

/// Runs such a program.
struct ExecPlugin: Sendable {
    private static let deadline = Duration.seconds(60)

    let configuration: ExecConfiguration
    let cluster: ClusterConfiguration

    /// Runs the program on a thread of its own; cancellation kills it.
    func run() async throws -> ExecCredential {
        let name = configuration.command
        var environment = configuration.environment
        environment.append(("KUBERNETES_EXEC_INFO", info))
        let result = try await ChildProgram.run(
            configuration.command, configuration.arguments, environment: environment, deadline: ExecPlugin.deadline)
        switch result {
        case .exited(0, let output, _): return try ExecCredential(output: output, configuration: configuration)
        case .exited(let code, _, let words):
            let words = String(decoding: words.prefix(512), as: UTF8.self).trimmingSpace()
            throw APITransportError("the credential program \(name) exited with \(code)\(words.isEmpty ? "" : ": \(words)")")
        case .notStarted(let reason):
            let hint = configuration.installHint.map { "; \($0)" } ?? ""
            throw APITransportError("the credential program \(name) can't be run: \(reason)\(hint)")
        case .timedOut:
            throw APITransportError(
                "the credential program \(name) did not finish within \(ExecPlugin.deadline)", isTimeout: true)
        case .outputTooLarge: throw APITransportError("the credential program \(name) wrote too much")
        }
    }

    /// What the program learns: an `ExecCredential` with a `spec`.
    private var info: String {
        var spec = "\"interactive\":false"
        if configuration.providesClusterInfo {
            var parts = ["\"server\":\(ExecPlugin.quoted(cluster.server.description))"]
            if let name = cluster.tlsServerName { parts.append("\"tls-server-name\":\(ExecPlugin.quoted(name))") }
            if cluster.isInsecure { parts.append("\"insecure-skip-tls-verify\":true") }
            if let proxy = cluster.proxy { parts.append("\"proxy-url\":\(ExecPlugin.quoted(proxy))") }
            let authority: [UInt8]? =
                switch cluster.authority {
                case .inline(let bytes): bytes
                case .file(let path): try? FileReading.read(path)
                case nil: nil
                }
            if let authority { parts.append("\"certificate-authority-data\":\"\(Data(authority).base64EncodedString())\"") }
            spec += ",\"cluster\":{\(parts.joined(separator: ","))}"
        }
        return "{\"kind\":\"ExecCredential\",\"apiVersion\":\(ExecPlugin.quoted(configuration.apiVersion)),\"spec\":{\(spec)}}"
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\u{0}"..."\u{1F}": "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
