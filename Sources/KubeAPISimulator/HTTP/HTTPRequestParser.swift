/// A request that is no HTTP/1.1, or too large.
struct HTTPError: Error {
    var code: Int
    var message: String
}

/// Cuts a stream of bytes into requests (RFC 9112).
struct HTTPRequestParser {
    private var buffer: [UInt8] = []
    private let headLimit = 1 << 16
    private let bodyLimit = 64 << 20
    /// Whether the head that was read asks for `100 Continue` before its body.
    private(set) var wantsContinue = false

    mutating func append(_ bytes: some Sequence<UInt8>) { buffer += bytes }

    /// The next complete request; nil when more bytes are needed.
    mutating func next() throws(HTTPError) -> APIRequest? {
        guard let headEnd = Self.headEnd(buffer) else {
            guard buffer.count <= headLimit else { throw HTTPError(code: 431, message: "the head of the request is too large") }
            return nil
        }
        var request = try Self.head(buffer[..<headEnd])
        var position = headEnd + 4
        if request.headers["transfer-encoding"]?.lowercased().contains("chunked") == true {
            guard let body = try chunked(from: &position) else { return awaitBody(request) }
            request.body = body
        } else if let text = request.headers["content-length"] {
            guard let length = Int(text), length >= 0 else { throw HTTPError(code: 400, message: "invalid Content-Length") }
            guard length <= bodyLimit else { throw HTTPError(code: 413, message: "the body is too large") }
            guard buffer.count - position >= length else { return awaitBody(request) }
            request.body = Array(buffer[position..<position + length])
            position += length
        }
        buffer.removeSubrange(..<position)
        wantsContinue = false
        return request
    }

    private mutating func awaitBody(_ request: APIRequest) -> APIRequest? {
        wantsContinue = request.headers["expect"]?.lowercased() == "100-continue"
        return nil
    }

    private static func headEnd(_ buffer: [UInt8]) -> Int? {
        var index = 3
        while index < buffer.count {
            if buffer[index] == 0x0A, buffer[index - 1] == 0x0D, buffer[index - 2] == 0x0A, buffer[index - 3] == 0x0D {
                return index - 3
            }
            index += 1
        }
        return nil
    }

    private static func head(_ bytes: ArraySlice<UInt8>) throws(HTTPError) -> APIRequest {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            throw HTTPError(code: 400, message: "no HTTP/1.1 request line")
        }
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else {
                throw HTTPError(code: 400, message: "a header field without a colon")
            }
            let name = line[..<colon].lowercased()
            let value = String(line[line.index(after: colon)...]).trimmed
            headers[name] = headers[name].map { "\($0),\(value)" } ?? value
        }
        return APIRequest(String(words[0]), String(words[1]), headers: headers)
    }

    private func chunked(from position: inout Int) throws(HTTPError) -> [UInt8]? {
        var body: [UInt8] = []
        var index = position
        while true {
            guard let end = buffer[index...].firstIndex(of: 0x0A) else { return nil }
            let digits =
                String(decoding: buffer[index..<end], as: UTF8.self).split(separator: ";").first.map { String($0).trimmed } ?? ""
            guard let size = Int(digits, radix: 16), size >= 0, size + body.count <= bodyLimit else {
                throw HTTPError(code: 400, message: "invalid chunk")
            }
            index = end + 1
            guard buffer.count >= index + size + 2 else { return nil }
            body += buffer[index..<index + size]
            index += size + 2
            if size == 0 {
                position = index
                return body
            }
        }
    }
}
