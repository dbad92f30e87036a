/// One request to the Kubernetes API server, without anything that the connection adds: server, credentials, user agent.
public struct APIRequest: Sendable {
    /// The HTTP methods of the Kubernetes API.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// The HTTP method.
    public var method: Method
    /// The absolute path, such as `/api/v1/namespaces/calls/pods`; not percent-encoded, the client does that.
    public var path: String
    /// The query, in order; not percent-encoded, the client does that.
    public var query: [(name: String, value: String)]
    /// What the body is; nil without a body.
    public var contentType: String?
    /// What may be answered; nil for `application/json`.
    public var accept: String?
    /// The body; empty for none.
    public var body: [UInt8]

    /// Makes a request.
    public init(
        _ method: Method, _ path: String, query: [(name: String, value: String)] = [], contentType: String? = nil,
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

/// What the API server answered.
public struct APIResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The header fields in order, with names in lower case.
    public var headers: [(name: String, value: String)]
    /// The whole body.
    public var body: [UInt8]

    /// Makes a response.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of the header field `name`, which is given in lower case.
    public subscript(header name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Whether the request succeeded: 200 to 299.
    public var isSuccess: Bool { (200...299).contains(status) }

    /// Why the request failed: the body's `Status` object, completed by the HTTP status and the field `Retry-After`.
    /// For responses that are not ``isSuccess``.
    public var failure: APIStatus { APIStatus(httpStatus: status, retryAfter: self[header: "retry-after"], body: body) }
}
