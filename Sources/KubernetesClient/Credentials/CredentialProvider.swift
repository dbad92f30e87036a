import FoundationEssentials
import Kubernetes
import Logging

/// Owns the credentials of one connection: reads files again as they rotate, and runs the program that makes tokens.
actor CredentialProvider {
    /// What a request needs.
    struct Credentials: Sendable {
        /// The value of the `Authorization` field; nil without one.
        var authorization: String?
        /// The server's certificate, and ours.
        var tls = CurlRequest.TLS()
    }

    private let cluster: ClusterConfiguration
    private let plugin: ExecPlugin?
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Seconds since 1970: what programs say of expiry is wall-clock time.
    private let date: @Sendable () -> Int64
    private let logger: Logger
    private var files: [String: RotatingFile] = [:]
    private var complaints: [String: String] = [:]

    private var made: ExecCredential?
    private var isRunning = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(
        cluster: ClusterConfiguration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        date: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }, logger: Logger
    ) {
        self.cluster = cluster
        plugin = cluster.user.exec.map { ExecPlugin(configuration: $0, cluster: cluster) }
        self.now = now
        self.date = date
        self.logger = logger
    }

    /// The credentials of now. `isRefused` after the server has refused the ones before (401): then everything is read, or made, again.
    /// `distrustsServer` after the server's certificate was not believed: then the authority is read again, since it may have rotated.
    func credentials(isRefused: Bool = false, distrustsServer: Bool = false) async throws -> Credentials {
        let refused = isRefused ? made : nil
        var result = Credentials()
        let user = cluster.user
        result.tls.isInsecure = cluster.isInsecure
        result.tls.authority = try cluster.authority.map { try read($0, .certificates, isStale: distrustsServer) }
        result.tls.certificate = try user.certificate.map { try read($0, .certificate, isStale: isRefused) }
        result.tls.key = try user.key.map { try read($0, .key, isStale: isRefused) }
        if let token = user.token {
            result.authorization = "Bearer " + String(decoding: try read(token, .token, isStale: isRefused), as: UTF8.self)
        } else if let plugin {
            let credential = try await made(by: plugin, refused: refused)
            if let token = credential.token { result.authorization = "Bearer \(token)" }
            if let certificate = credential.certificate { result.tls.certificate = certificate }
            if let key = credential.key { result.tls.key = key }
        } else if let basic = user.basic {
            result.authorization = "Basic " + Data(basic.utf8).base64EncodedString()
        }
        return result
    }

    private func read(_ content: ClusterConfiguration.Content, _ kind: RotatingFile.Kind, isStale: Bool) throws -> [UInt8] {
        switch content {
        case .inline(let bytes): return bytes
        case .file(let path):
            let result = try files[path, default: RotatingFile(path: path, kind: kind)].current(now: now(), isStale: isStale)
            let complaint = files[path]?.complaint
            if let complaint, complaints[path] != complaint {
                logger.error("\(complaint); the \(kind.rawValue) read before stays in use")
            }
            complaints[path] = complaint
            return result
        }
    }

    /// What the program made last, while that is valid; otherwise it runs, once for all who wait.
    private func made(by plugin: ExecPlugin, refused: ExecCredential?) async throws -> ExecCredential {
        while true {
            if let made, made != refused, !made.isExpired(at: date()) { return made }
            try Task.checkCancellation()
            if !isRunning { break }
            await withCheckedContinuation { waiters.append($0) }
        }
        isRunning = true
        defer {
            isRunning = false
            for waiter in waiters { waiter.resume() }
            waiters = []
        }
        let credential = try await plugin.run()
        made = credential
        return credential
    }
}
