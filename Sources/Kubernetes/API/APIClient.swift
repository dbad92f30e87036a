import FoundationEssentials

/// One request to the Kubernetes API.
public struct APIRequest: Sendable {
    /// The HTTP method.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// The HTTP method.
    public var method: Method
    /// The path from the server's root, percent-encoded, such as `/api/v1/pods`.
    public var path: String
    /// The query, not yet percent-encoded.
    public var query: [(name: String, value: String)]
    /// The media type of `body`; nil without a body.
    public var contentType: String?
    /// The media type wanted; nil for JSON.
    public var accept: String?
    /// The body; empty for none.
    public var body: [UInt8]

    /// Makes a request; by default without query and body.
    public init(
        method: Method, path: String, query: [(name: String, value: String)] = [], contentType: String? = nil,
        accept: String? = nil, body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.contentType = contentType
        self.accept = accept
        self.body = body
    }
}

/// What the API server answered, whatever its status.
public struct APIResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The header fields, names as they came.
    public var headers: [(name: String, value: String)]
    /// The body, complete.
    public var body: [UInt8]

    /// Makes a response.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Sends requests to the Kubernetes API server.
public protocol APIClient: Sendable {
    /// Sends one request and takes the whole answer. Throws only if there is none: no connection, a time limit, cancellation.
    func send(_ request: APIRequest) async throws -> APIResponse
}

/// A Kubernetes `Status` object: why a request failed.
public struct APIStatus: Hashable, Sendable {
    /// The HTTP status; 0 when absent.
    public var code: Int
    /// A word for programs, such as `NotFound`.
    public var reason: String
    /// A sentence for people.
    public var message: String
    /// Seconds after which the server asks to be asked again.
    public var retryAfterSeconds: Int?

    /// Reads the JSON of a `Status`; nil when it is none.
    public init?(body: [UInt8]) {
        struct Wire: Decodable {
            struct Details: Decodable { var retryAfterSeconds: Int? }
            var kind: String?
            var code: Int?
            var reason: String?
            var message: String?
            var details: Details?
        }
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(body)), wire.kind == "Status" else { return nil }
        code = wire.code ?? 0
        reason = wire.reason ?? ""
        message = wire.message ?? ""
        retryAfterSeconds = wire.details?.retryAfterSeconds
    }
}
