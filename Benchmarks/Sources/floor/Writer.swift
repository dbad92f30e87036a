import Glibc
import Measurement

/// The measured side: one message to each socket a round.
final class Writer {
    private let message: [UInt8]
    private let answer: Int
    private let control: CInt
    private var sockets: [CInt] = []
    private var watch: Watch

    /// Accepts the reader's connections, the control connection first.
    init(listener: Listener, sockets count: Int, message: Int, answer: Int) throws {
        self.message = [UInt8](repeating: 0x55, count: message)
        self.answer = answer
        watch = try Watch()
        control = try listener.accept()
        for number in 0..<count {
            let socket = try listener.accept()
            sockets.append(socket)
            if answer > 0 { try watch.add(socket, number: number) }
        }
        try watch.add(control, number: -1 & Int(Int32.max))
    }

    /// Writes to all, and returns the milliseconds until the reader has read the last.
    func round() throws -> Double {
        let start = Moment.now
        for socket in sockets { try write(to: socket) }
        var answers = answer > 0 ? sockets.count : 0
        var isRead = false
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while answers > 0 || !isRead {
            for number in watch.wait() {
                let isControl = number >= sockets.count
                let count = read(isControl ? control : sockets[number], &buffer, buffer.count)
                guard count > 0 else { throw SystemError(call: "read") }
                if isControl { isRead = true } else { answers -= count / answer }
            }
        }
        return Double(Moment.now.since(start)) / 1e6
    }

    private func write(to socket: CInt) throws {
        var sent = 0
        while sent < message.count {
            let count = message.withUnsafeBytes {
                send(socket, $0.baseAddress.map { $0 + sent }, message.count - sent, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else {
                throw SystemError(call: "send")
            }
        }
    }
}
