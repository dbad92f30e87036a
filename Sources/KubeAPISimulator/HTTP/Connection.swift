import CLinux
import Glibc

/// A client's connection, owned by the server's thread.
final class Connection {
    enum Activity {
        /// Awaiting or reading a request. Exits: any other, when a request is complete.
        case idle
        /// An answer is held back until the instant (seconds since 1970). Exits: idle, closing.
        case delayed(until: Double, bytes: [UInt8], closes: Bool)
        /// Events are streamed. Exits: idle when the watch ends normally; closing, silent by faults.
        case watching(Watch, trickles: Bool, breaksAfter: Int?)
        /// Reads on and never answers. Exits: only the end of the connection.
        case silent(Watch?)
        /// Writes what is left and closes. No exit.
        case closing
    }

    let socket: CInt
    var activity = Activity.idle
    var parser = HTTPRequestParser()
    private var output: [UInt8] = []
    private var written = 0
    private(set) var isBroken = false
    private var saidContinue = false
    /// Nil where the server speaks without TLS.
    private let tls: TLSSession?

    init(socket: CInt, tls: TLSSession?) {
        self.socket = socket
        self.tls = tls
        var one: CInt = 1
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { Glibc.close(socket) }

    var pendingBytes: Int { output.count - written }
    var isFinished: Bool {
        if case .closing = activity { return isBroken || pendingBytes == 0 }
        return isBroken
    }

    /// Reads what has come; returns false at the end of the stream.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        while true {
            let count = recv(socket, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count > 0 {
                if case .silent = activity { continue }
                guard take(buffer[..<count]) else { return false }
                if count < buffer.count { return true }
            } else if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN || errno == EWOULDBLOCK
            } else {
                return false
            }
        }
    }

    /// Adds what came to the request; returns false when TLS is over.
    private func take(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let tls else {
            parser.append(bytes)
            return true
        }
        let text = tls.receive(bytes)
        // The handshake, or why it failed.
        output += tls.output()
        flush()
        guard let text else { return false }
        parser.append(text[...])
        return true
    }

    /// Whom the client's certificate names.
    var clientName: String? { tls?.clientName }

    func send(_ bytes: [UInt8]) {
        if let tls {
            tls.send(bytes)
            output += tls.output()
        } else {
            output += bytes
        }
        flush()
    }

    /// Tells a client that waits with its body to go on.
    func continueIfWanted() {
        if parser.wantsContinue, !saidContinue { send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        saidContinue = parser.wantsContinue
    }

    func flush() {
        while written < output.count {
            let count = output.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    Glibc.send(socket, $0 + written, bytes.count - written, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
                } ?? 0
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN && errno != EWOULDBLOCK { isBroken = true }
                return
            }
            written += count
        }
        output.removeAll(keepingCapacity: output.capacity < 1 << 20)
        written = 0
    }

    /// Makes closing send a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        isBroken = true
    }
}
