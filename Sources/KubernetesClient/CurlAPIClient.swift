public import Kubernetes
public import Logging

/// Sends requests to one API server by libcurl.
///
/// All transfers share the loop's thread and connections. A transfer that timed out makes the next one open a new connection, because the old one
/// may be half-open. After a server's certificate was not believed the next one reads the authority anew. After a 401 the credentials are read, or made, again, and the request is repeated once.
public actor CurlAPIClient: StreamingAPIClient {
    /// Durations and limits.
    public struct Configuration: Sendable {
        /// How long connecting may take, TLS included.
        public var connectTimeout: Duration = .seconds(10)
        /// How long a request that is no watch may take as a whole.
        public var requestTimeout: Duration = .seconds(60)
        /// The largest answer that is held as a whole, in bytes.
        public var bodyLimit = 256 << 20

        /// Makes the usual configuration.
        public init() {}
    }

    private let cluster: ClusterConfiguration
    private let loop: CurlLoop
    private let configuration: Configuration
    private let credentials: CredentialProvider
    /// Whether the next request opens a new connection.
    private var distrustsConnections = false
    /// Whether the next request reads anew what the server's certificate is judged by.
    private var distrustsServer = false

    /// Makes a client; it connects when it has something to send.
    public init(
        cluster: ClusterConfiguration, loop: CurlLoop, configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "kubernetes")
    ) {
        self.cluster = cluster
        self.loop = loop
        self.configuration = configuration
        credentials = CredentialProvider(cluster: cluster, logger: logger)
    }

    public func send(_ request: APIRequest) async throws -> APIResponse {
        let first = try await whole(request, isRefused: false)
        guard first.status == 401 else { return first }
        return try await whole(request, isRefused: true)
    }

    public func stream(_ request: APIRequest, timeout: Duration) async throws -> APIStream {
        let first = try await attempt(request, timeout, isRefused: false)
        guard first.status == 401 else { return first }
        first.close()
        return try await attempt(request, timeout, isRefused: true)
    }

    private func whole(_ request: APIRequest, isRefused: Bool) async throws -> APIResponse {
        let transfer = try await transfer(request, configuration.requestTimeout, isRefused: isRefused)
        do {
            let response = try await withTaskCancellationHandler {
                try await transfer.response(limit: configuration.bodyLimit)
            } onCancel: {
                transfer.abort()
            }
            guard let response else {
                throw APITransportError(
                    "\(request.method.rawValue) \(request.path): the answer is larger than \(configuration.bodyLimit) bytes")
            }
            return APIResponse(status: response.head.status, headers: response.head.headers, body: response.body)
        } catch {
            transfer.abort()
            noteFailure(error)
            throw error
        }
    }

    /// A transfer that has yet to be started.
    private func transfer(_ request: APIRequest, _ timeout: Duration, isRefused: Bool) async throws -> CurlTransfer {
        let credentials: CredentialProvider.Credentials
        let distrustsServer = distrustsServer
        self.distrustsServer = false
        do {
            credentials = try await self.credentials.credentials(isRefused: isRefused, distrustsServer: distrustsServer)
        } catch let error as ClusterConfigurationError {
            throw APITransportError(error.description)
        }
        var prepared = curlRequest(request, credentials, timeout)
        prepared.isFresh = distrustsConnections
        distrustsConnections = false
        return CurlTransfer(prepared, loop: loop)
    }

    private func attempt(_ request: APIRequest, _ timeout: Duration, isRefused: Bool) async throws -> APIStream {
        let transfer = try await transfer(request, timeout, isRefused: isRefused)
        let head: CurlTransfer.Head
        do {
            head = try await withTaskCancellationHandler {
                try await transfer.start()
            } onCancel: {
                transfer.abort()
            }
        } catch {
            noteFailure(error)
            throw error
        }
        return APIStream(
            status: head.status, headers: head.headers,
            next: {
                do {
                    return try await withTaskCancellationHandler {
                        try await transfer.next()
                    } onCancel: {
                        transfer.abort()
                    }
                } catch {
                    await self.noteFailure(error)
                    throw error
                }
            }, close: { transfer.abort() })
    }

    /// An aborted transfer counts as well: a watchdog may have aborted it because nothing came.
    private func noteFailure(_ error: any Error) {
        if (error as? APITransportError)?.isDistrust == true { distrustsServer = true }
        if error is CancellationError || (error as? APITransportError)?.isTimeout == true { distrustsConnections = true }
    }

    private func curlRequest(
        _ request: APIRequest, _ credentials: CredentialProvider.Credentials, _ timeout: Duration
    ) -> CurlRequest {
        let server = cluster.server
        var headers = ["User-Agent: xds-operator", "Accept: \(request.accept ?? "application/json")", "Expect:"]
        if let contentType = request.contentType { headers.append("Content-Type: \(contentType)") }
        if let authorization = credentials.authorization { headers.append("Authorization: \(authorization)") }
        var authority = server.authority
        var connectTo: String?
        if let name = cluster.tlsServerName {
            // libcurl takes the name of TLS from the URL, so the URL names that, and the connection goes where the server is.
            headers.append("Host: \(authority)")
            connectTo = authority
            authority = ServerURL.authority(name, server.port)
        }
        let path = server.basePath + PercentEncoding.path(request.path)
        let query = request.query.map { "\(PercentEncoding.query($0.name))=\(PercentEncoding.query($0.value))" }
        return CurlRequest(
            method: request.method.rawValue,
            url: "\(server.scheme)://\(authority)\(path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
            connectTo: connectTo, headers: headers, body: request.body, proxy: cluster.proxy, tls: credentials.tls,
            connectTimeout: configuration.connectTimeout, timeout: timeout)
    }
}

/// Percent-encoding (RFC 3986, section 2).
enum PercentEncoding {
    static func path(_ text: String) -> String { encoded(text, keeping: "/") }

    static func query(_ text: String) -> String { encoded(text, keeping: "") }

    private static func encoded(_ text: String, keeping kept: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.append(byte)
            case _ where kept.utf8.contains(byte): result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
