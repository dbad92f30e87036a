import Foundation

/// A plain HTTP/1.1 answer.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public var status: Int
    /// The body as text.
    public var body: String
}

/// Fetches `path` from `address` by HTTP/1.1, one request a connection.
///
/// - Parameter limit: the longest silence accepted.
/// - Throws: `SystemError` when nobody answers or the answer isn't HTTP.
public func httpGet(_ path: String, from address: SocketAddress, within limit: Duration = .seconds(5)) async throws -> HTTPAnswer
{
    try await offTaskThreads {
        let connection = try Descriptor.tcp(connectedTo: address)
        connection.send(Array("GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while connection.waitReadable(within: limit) {
            guard let chunk = connection.receive(), !chunk.isEmpty else {
                return try HTTPAnswer(parsing: bytes, of: "GET http://\(address)\(path)")
            }
            bytes += chunk
        }
        throw SystemError("GET http://\(address)\(path)", code: ETIMEDOUT)
    }
}

extension HTTPAnswer {
    init(parsing bytes: [UInt8], of request: String) throws {
        let malformed = SystemError(request, code: EPROTO)
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw malformed }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let word = head.split(separator: " ").dropFirst().first, let status = Int(word) else { throw malformed }
        var rest = bytes[end.upperBound...]
        if head.contains("\r\ntransfer-encoding: chunked") {
            var body: [UInt8] = []
            while let line = rest.firstRange(of: Array("\r\n".utf8)) {
                guard let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16),
                    size >= 0, size <= rest.endIndex - line.upperBound
                else { throw malformed }
                if size == 0 { break }
                body += rest[line.upperBound..<line.upperBound + size]
                rest = rest[(line.upperBound + size)...].dropFirst(2)
            }
            rest = body[...]
        }
        self.init(status: status, body: String(decoding: rest, as: UTF8.self))
    }
}
