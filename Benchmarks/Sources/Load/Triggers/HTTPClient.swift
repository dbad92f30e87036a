import Foundation
import Glibc
import Synchronization

/// A plain HTTP/1.1 client on one connection that is kept open. Blocks; safe to use from several threads, one after the other.
public final class HTTPClient: Sendable {
    private let address: ServerAddress
    private let descriptor = Mutex<CInt>(-1)

    /// Makes a client that connects when it is first needed.
    public init(_ address: ServerAddress) { self.address = address }

    deinit { descriptor.withLock { if $0 >= 0 { close($0) } } }

    /// Splits `http://HOST:PORT/PATH`.
    public static func parse(_ url: String) throws(LoadError) -> (address: ServerAddress, path: String) {
        guard url.hasPrefix("http://") else { throw .invalid("\"\(url)\" is no URL of plain HTTP: write http://HOST:PORT/PATH") }
        let rest = url.dropFirst("http://".count)
        let host = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(host.count)
        return (try ServerAddress(host.contains(":") ? String(host) : "\(host):80"), path.isEmpty ? "/" : String(path))
    }

    /// Sends a request and returns the body of the answer, whose status must be 2xx.
    @discardableResult
    public func request(_ method: String, _ path: String, headers: [String] = [], body: String = "") throws -> String {
        try descriptor.withLock { descriptor in
            var text = "\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nContent-Length: \(body.utf8.count)\r\n"
            for header in headers { text += "\(header)\r\n" }
            let request = Array((text + "\r\n" + body).utf8)
            // A connection that was kept open may have been closed meanwhile.
            for isLastTry in [descriptor < 0, true] {
                if descriptor < 0 { descriptor = try connect() }
                if let answer = try Self.exchange(request, descriptor, "\(method) http://\(address)\(path)") { return answer }
                close(descriptor)
                descriptor = -1
                if isLastTry { break }
            }
            throw LoadError.invalid("\(method) http://\(address)\(path): no answer")
        }
    }

    private func connect() throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw LoadError.system("socket", errno) }
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        guard address.connect(descriptor) == 0 else {
            let number = errno
            close(descriptor)
            throw LoadError.system("connect to \(address)", number)
        }
        return descriptor
    }

    /// The body of the answer; nil when the server closed the connection without one.
    private static func exchange(_ request: [UInt8], _ descriptor: CInt, _ what: String) throws -> String? {
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes {
                send(descriptor, $0.baseAddress.map { $0 + sent }, request.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return nil }
            sent += count
        }
        var input: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return nil }
            input += chunk[..<count]
            guard let answer = HTTPAnswer(input) else { continue }
            guard (200..<300).contains(answer.status) else {
                throw LoadError.invalid("\(what): \(answer.status) \(answer.body.prefix(500))")
            }
            return answer.body
        }
    }
}

/// An answer of HTTP/1.1 with a length or in chunks.
struct HTTPAnswer {
    let status: Int
    let body: String

    /// Reads an answer; nil as long as it is not complete.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var rest = bytes[end.upperBound...]
        if head.contains("\r\ntransfer-encoding: chunked") {
            var content: [UInt8] = []
            while true {
                guard let line = rest.firstRange(of: Array("\r\n".utf8)),
                    let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16),
                    rest.endIndex - line.upperBound >= size + 2
                else { return nil }
                if size == 0 { break }
                content += rest[line.upperBound..<line.upperBound + size]
                rest = rest[(line.upperBound + size + 2)...]
            }
            body = String(decoding: content, as: UTF8.self)
            return
        }
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces)) }
        guard let length, rest.count >= length else { return nil }
        body = String(decoding: rest.prefix(length), as: UTF8.self)
    }
}
