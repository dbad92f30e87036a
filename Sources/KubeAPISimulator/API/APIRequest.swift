/// One request to the API server.
public struct APIRequest: Sendable {
    /// Such as `GET`.
    public var method: String
    /// The path without the query, as it was sent.
    public var path: String
    /// The decoded parameters; of a repeated one the last.
    public var query: [String: String]
    /// The header fields, names in lower case.
    public var headers: [String: String]
    /// The body.
    public var body: [UInt8]
    /// Whom the client's certificate names; nil without one.
    public var certificateUser: String?

    /// Makes a request; `target` is a path with an optional query.
    public init(_ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8] = []) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        path = parts.first.map(String.init) ?? "/"
        query = parts.count > 1 ? Self.parameters(parts[1]) : [:]
        self.headers = headers
        self.body = body
    }

    private static func parameters(_ text: Substring) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parameters[decode(sides[0], plusIsSpace: true)] = sides.count > 1 ? decode(sides[1], plusIsSpace: true) : ""
        }
        return parameters
    }

    /// Undoes percent encoding; what isn't well encoded stays.
    static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let byte = UInt8(String(decoding: source[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(plusIsSpace && source[index] == UInt8(ascii: "+") ? 0x20 : source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    var userAgent: String { headers["user-agent"] ?? "" }

    /// A parameter that is a truth value.
    func flag(_ name: String) -> Bool { query[name].map { $0 == "true" || $0 == "1" } ?? false }

    /// Who manages the fields that this request writes.
    var fieldManager: String {
        if let manager = query["fieldManager"], !manager.isEmpty { return manager }
        let agent = userAgent.split(separator: "/").first.map(String.init) ?? ""
        return agent.isEmpty ? "unknown" : agent
    }
}

/// The answer to a request.
enum APIResponse: Sendable {
    case complete(CompleteResponse)
    /// Events follow as long as the watch lasts.
    case watch(Watch)
}

/// An answer that is known as a whole.
struct CompleteResponse: Sendable {
    var code = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    init(_ code: Int = 200, json: JSONValue) {
        self.code = code
        headers = ["Content-Type": "application/json"]
        body = json.encoded
    }

    init(_ code: Int = 200, contentType: String, body: [UInt8]) {
        self.code = code
        headers = ["Content-Type": contentType]
        self.body = body
    }

    init(_ error: StatusError) {
        self.init(error.code, json: error.status)
        if let retryAfter = error.retryAfter { headers["Retry-After"] = String(retryAfter) }
        if error.code == 401 { headers["Www-Authenticate"] = "Bearer realm=\"kubernetes\"" }
    }
}
