import Foundation
import Glibc
import TestKit

/// A client that sends one request and shows the bytes of the answer as they come.
final class StreamClient: Sendable {
    struct Answer: Sendable {
        var bytes: [UInt8] = []
        var isClosed = false
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    let answer = Observed(Answer())
    private let socket: CInt

    init(_ address: String, _ target: String, method: String = "GET", headers: [String: String] = [:]) throws {
        let port = UInt16(address.split(separator: ":").last ?? "") ?? 0
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr)
        let connected = withUnsafeBytes(of: &peer) {
            connect(socket, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
        guard connected == 0 else {
            let error = SystemError("connect to \(address)")
            close(socket)
            throw error
        }
        self.socket = socket
        let fields = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        let head = Array("\(method) \(target) HTTP/1.1\r\nHost: \(address)\r\n\(fields)\r\n".utf8)
        send(socket, head, head.count, CInt(MSG_NOSIGNAL))
        let answer = answer
        let thread = Thread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(socket, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                let part = Array(buffer[..<count])
                answer.update { $0.bytes += part }
            }
            answer.update { $0.isClosed = true }
        }
        thread.start()
    }

    // The reading thread uses the number until it sees the end.
    deinit { shutdown(socket, CInt(SHUT_RDWR)) }

    /// Waits until the answer contains `text`.
    @discardableResult
    func wait(for text: String, count: Int = 1) async throws -> String {
        try await answer.wait(for: "\"\(text)\" in the answer", within: .seconds(20)) { answer in
            answer.text.components(separatedBy: text).count > count ? answer.text : nil
        }
    }

    /// Waits until the server has closed the connection.
    func waitForClose() async throws -> String {
        try await answer.wait(for: "the end of the answer", within: .seconds(20)) { $0.isClosed ? $0.text : nil }
    }
}
