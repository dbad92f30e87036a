import CLinux
import Foundation
import Glibc
import TestKit

/// An HTTP/1.1 server whose every byte a test decides: it answers each request by a script, on a thread for each connection.
final class ScriptedServer: Sendable {
    /// What arrived.
    struct Request: Sendable {
        var method: String
        /// Path and query as they were sent.
        var target: String
        var headers: [String: String]
        var body: [UInt8]
        /// Which connection it came by, from 0.
        var connection: Int

        var path: String { String(target.prefix { $0 != "?" }) }

        subscript(query name: String) -> String? {
            for pair in target.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") where pair.hasPrefix("\(name)=") {
                return String(pair.dropFirst(name.count + 1))
            }
            return nil
        }
    }

    /// What to do, one after the other.
    enum Action: Sendable {
        case send([UInt8])
        /// Each byte in a segment of its own.
        case trickle([UInt8])
        /// Do nothing until the client closes the connection.
        case hold
        /// Close the connection at once.
        case close
        /// Let a test know that all before was sent.
        case tell(Observed<Bool>)

        static func text(_ text: String) -> Action { .send(Array(text.utf8)) }

        /// A complete answer.
        static func answer(_ status: Int, _ body: String, type: String = "application/json", headers: String = "") -> [Action] {
            [
                .text(
                    "HTTP/1.1 \(status) X\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
                )
            ]
        }

        /// The head of an answer in chunks.
        static func head(type: String = "application/json") -> Action {
            .text("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n")
        }

        static func chunk(_ bytes: [UInt8]) -> Action {
            .send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
        }

        static func chunk(_ text: String) -> Action { chunk(Array(text.utf8)) }

        static var end: Action { .text("0\r\n\r\n") }
    }

    /// Every request so far.
    let requests = Observed<[Request]>([])
    /// How many connections the client has closed while they were held.
    let abandoned = Observed(0)
    let port: UInt16
    private let listener: CInt
    private let script: @Sendable (Request) -> [Action]

    init(_ script: @escaping @Sendable (Request) -> [Action]) throws {
        self.script = script
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, pointer, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw SystemError("listen") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            var number = 0
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                let index = number
                number += 1
                guard let server = self else {
                    Glibc.close(connection)
                    continue
                }
                Thread.detachNewThread { server.serve(connection, index) }
            }
            Glibc.close(listener)
        }
    }

    deinit { shutdown(listener, CInt(SHUT_RDWR)) }

    /// Waits until `count` requests have come, and returns them.
    func requests(_ count: Int) async throws -> [Request] {
        try await requests.wait(for: "\(count) requests", within: .seconds(20)) { $0.count >= count ? $0 : nil }
    }

    private func serve(_ connection: CInt, _ index: Int) {
        defer { Glibc.close(connection) }
        var one: CInt = 1
        setsockopt(connection, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        var buffer: [UInt8] = []
        while let request = receive(connection, index, &buffer) {
            let actions = requests.update { requests in
                requests.append(request)
                return script(request)
            }
            for action in actions {
                switch action {
                case .send(let bytes): guard send(connection, bytes) else { return }
                case .trickle(let bytes): for byte in bytes { guard send(connection, [byte]) else { return } }
                case .hold:
                    var byte: UInt8 = 0
                    while recv(connection, &byte, 1, 0) > 0 {}
                    abandoned.update { $0 += 1 }
                    return
                case .close: return
                case .tell(let isSent): isSent.update { $0 = true }
                }
            }
        }
    }

    private func send(_ connection: CInt, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func receive(_ connection: CInt, _ index: Int, _ buffer: inout [UInt8]) -> Request? {
        func fill() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &chunk, chunk.count, 0)
            if count > 0 { buffer += chunk[..<count] }
            return count > 0
        }
        var head: Range<Array<UInt8>.Index>?
        while head == nil {
            head = buffer.firstRange(of: Array("\r\n\r\n".utf8))
            if head == nil, !fill() { return nil }
        }
        guard let head else { return nil }
        let lines = String(decoding: buffer[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        buffer.removeSubrange(..<head.upperBound)
        let words = lines[0].components(separatedBy: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return Request(method: words[0], target: words[1], headers: headers, body: body, connection: index)
    }
}
