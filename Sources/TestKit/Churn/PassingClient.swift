import COpenSSL
import Glibc

/// A client that connects, perhaps gets an answer, and leaves in one way or another. Blocks its thread.
public struct PassingClient: Sendable {
    /// How it leaves.
    public enum Leaving: CaseIterable, Sendable {
        /// It ends its stream, then closes.
        case orderly
        /// It closes with the stream open.
        case closing
        /// It cancels its stream, then closes.
        case cancelling
        /// It resets the connection.
        case resetting
        /// It closes before it has read anything.
        case unread
        /// Its node is unknown, so that it waits; then it closes.
        case unknown
        /// It closes in the middle of the preface, or of the handshake.
        case halfway
    }

    /// An answer did not come, or not in time.
    public struct Unanswered: Error, CustomStringConvertible {
        let client: PassingClient
        public var description: String { "\(client) was not answered" }
    }

    /// Where it connects.
    public var address: SocketAddress
    /// What it speaks.
    public var form: ClientBytes.Form
    /// How it leaves.
    public var leaving: Leaving
    /// Its node, unless it is unknown.
    public var node: String
    /// Whether it speaks TLS.
    public var speaksTLS: Bool

    /// Makes client number `number`: each form and way of leaving in turn.
    public init(_ number: Int, address: SocketAddress, node: String, speaksTLS: Bool) {
        self.address = address
        self.node = node
        self.speaksTLS = speaksTLS
        let ways = Leaving.allCases
        leaving = ways[number % ways.count]
        form = ClientBytes.Form.allCases[number / ways.count % 2]
    }

    /// Comes and goes.
    public func pass() throws {
        let socket = try Descriptor.tcp(connectedTo: address)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if leaving == .halfway {
            socket.send(speaksTLS ? [22, 3, 1, 0, 200, 1] : Array(HTTP2Bytes.preface.prefix(12)))
            return
        }
        let tls = speaksTLS ? ClientHandshake(socket) : nil
        if speaksTLS, tls == nil { throw Unanswered(client: self) }
        func send(_ bytes: [UInt8]) { if let tls { tls.write(bytes) } else { socket.send(bytes) } }
        send(ClientBytes.request(form, node: leaving == .unknown ? "nobody" : node))
        guard leaving != .unread else { return }
        guard isAnswered(by: leaving == .unknown ? 4 : 0, { tls.map { $0.read() } ?? socket.receive() }) else {
            throw Unanswered(client: self)
        }
        switch leaving {
        case .orderly: send(ClientBytes.end)
        case .cancelling: send(ClientBytes.reset)
        case .resetting:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        case .closing, .unread, .unknown, .halfway: break
        }
    }

    /// Whether a frame of `type` comes.
    private func isAnswered(by type: UInt8, _ receive: () -> [UInt8]?) -> Bool {
        var bytes: [UInt8] = []
        while let chunk = receive(), !chunk.isEmpty {
            bytes += chunk
            while bytes.count >= 9 {
                let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
                if bytes[3] == type { return true }
                guard bytes.count >= 9 + length else { break }
                bytes.removeFirst(9 + length)
            }
        }
        return false
    }
}

/// A client's end of TLS that trusts everyone, on a socket that blocks; it owns its handles.
private final class ClientHandshake {
    private let context: OpaquePointer
    private let connection: OpaquePointer

    /// Shakes hands; nil when that fails.
    init?(_ socket: Descriptor) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        guard let connection = SSL_new(context) else {
            SSL_CTX_free(context)
            return nil
        }
        self.context = context
        self.connection = connection
        let protocols: [UInt8] = [2, UInt8(ascii: "h"), UInt8(ascii: "2")]
        guard SSL_set_fd(connection, socket.number) == 1,
            SSL_set_alpn_protos(connection, protocols, UInt32(protocols.count)) == 0, SSL_connect(connection) == 1
        else { return nil }
    }

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    func write(_ bytes: [UInt8]) { _ = SSL_write(connection, bytes, CInt(clamping: bytes.count)) }

    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = SSL_read(connection, &buffer, CInt(clamping: buffer.count))
        return count > 0 ? Array(buffer.prefix(Int(count))) : nil
    }
}

/// Lets clients come and go on `threads` threads of their own, and returns when all are gone.
public func letPass(_ numbers: Range<Int>, threads: Int, _ client: @escaping @Sendable (Int) -> PassingClient) async throws {
    let progress = Observed<(running: Int, failure: (any Error)?)>((threads, nil))
    for thread in 0..<threads {
        try startThread {
            let failure = Result {
                for number in numbers where number % threads == thread { try client(number).pass() }
            }
            progress.update { progress in
                progress.running -= 1
                if case .failure(let error) = failure { progress.failure = error }
            }
        }
    }
    let failure = try await progress.wait(for: "\(numbers.count) clients", within: .seconds(3_600)) {
        $0.running == 0 ? .some($0.failure) : nil
    }
    if let failure { throw failure }
}
