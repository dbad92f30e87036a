/// Writes responses (RFC 9112).
enum HTTPResponseEncoder {
    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict", 410: "Gone", 413: "Content Too Large",
        415: "Unsupported Media Type", 422: "Unprocessable Entity", 429: "Too Many Requests",
        431: "Request Header Fields Too Large",
        500: "Internal Server Error", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]

    static func response(_ response: CompleteResponse, closes: Bool, hasBody: Bool = true) -> [UInt8] {
        var headers = response.headers
        headers["Content-Length"] = String(response.body.count)
        if closes { headers["Connection"] = "close" }
        return head(response.code, headers) + (hasBody ? response.body : [])
    }

    static func head(_ code: Int, _ headers: [String: String]) -> [UInt8] {
        var text = "HTTP/1.1 \(code) \(reasons[code] ?? "Unknown")\r\n"
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    static func streamHead(contentType: String) -> [UInt8] {
        head(200, ["Content-Type": contentType, "Transfer-Encoding": "chunked", "Cache-Control": "no-cache, private"])
    }

    static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A]
    }

    /// The same bytes in chunks of at most `size`.
    static func chunks(_ bytes: [UInt8], size: Int) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: size).flatMap { chunk(Array(bytes[$0..<min($0 + size, bytes.count)])) }
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)
}
