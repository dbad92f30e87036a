import Foundation
import Glibc

/// Requests over a connection of their own, whose answer ends with it.
enum HTTP {
    static func get(
        _ address: String, _ path: String, accept: String = "*/*"
    ) throws -> (status: Int, body: [UInt8]) {
        try exchange(address, "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nAccept: \(accept)\r\nConnection: close\r\n\r\n")
    }

    static func post(_ address: String, _ path: String, _ body: String) throws {
        let head = "POST \(path) HTTP/1.1\r\nHost: \(address)\r\nContent-Type: application/json\r\n"
        let (status, answer) = try exchange(
            address, head + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n" + body)
        guard status == 200 else { throw Failure("\(path) was answered \(status): \(String(decoding: answer, as: UTF8.self))") }
    }

    private static func exchange(_ address: String, _ request: String) throws -> (status: Int, body: [UInt8]) {
        let parts = address.split(separator: ":")
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = (parts.last.flatMap { UInt16($0) } ?? 0).bigEndian
        inet_pton(AF_INET, String(parts.first ?? ""), &peer.sin_addr)
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let connected = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure("can't connect to \(address)") }
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure("\(address) takes no request") }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { answer += buffer[..<count] }
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)),
            let status = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: " ").dropFirst().first,
            let code = Int(status)
        else { throw Failure("\(address) gave no answer") }
        return (code, Array(answer[end.upperBound...]))
    }
}
