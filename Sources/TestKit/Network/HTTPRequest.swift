import Glibc

/// Sends one HTTP/1.1 request with a body to `address` on a connection of its own, and returns the whole answer.
///
/// - Parameter limit: the longest silence accepted.
/// - Throws: `SystemError` when nobody answers or the answer isn't HTTP.
public func httpRequest(
    _ method: String, _ path: String, to address: SocketAddress, contentType: String = "application/json", body: [UInt8] = [],
    within limit: Duration = .seconds(20)
) async throws -> HTTPAnswer {
    try await offTaskThreads { try exchange(method, path, with: address, contentType: contentType, body: body, within: limit) }
}

/// As ``httpRequest(_:_:to:contentType:body:within:)``. Blocks, for which loopback and small answers leave little time.
public func exchange(
    _ method: String, _ path: String, with address: SocketAddress, contentType: String = "application/json", body: [UInt8] = [],
    within limit: Duration = .seconds(20)
) throws -> HTTPAnswer {
    let connection = try Descriptor.tcp(connectedTo: address)
    let head = """
        \(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\nContent-Type: \(contentType)\r\n\
        Content-Length: \(body.count)\r\n\r\n
        """
    connection.send(Array(head.utf8) + body)
    var bytes: [UInt8] = []
    while connection.waitReadable(within: limit) {
        guard let chunk = connection.receive(), !chunk.isEmpty else {
            return try HTTPAnswer(parsing: bytes, of: "\(method) http://\(address)\(path)")
        }
        bytes += chunk
    }
    throw SystemError("\(method) http://\(address)\(path)", code: ETIMEDOUT)
}
