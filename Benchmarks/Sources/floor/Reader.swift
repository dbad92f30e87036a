import Glibc

/// The other side: reads everything, tells when all have had a round's message, and answers if it is to.
struct Reader {
    let port: UInt16
    let sockets: Int
    let message: Int
    let answer: Int

    func run() throws {
        let control = try connect()
        var watch = try Watch()
        var descriptors: [CInt] = []
        for number in 0..<sockets {
            descriptors.append(try connect())
            try watch.add(descriptors[number], number: number)
        }
        let answerBytes = [UInt8](repeating: 0xAA, count: answer)
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var missing = [Int](repeating: message, count: sockets)
        var left = sockets
        while true {
            for number in watch.wait() {
                let count = read(descriptors[number], &buffer, buffer.count)
                guard count > 0 else { return }
                missing[number] -= count
                guard missing[number] <= 0 else { continue }
                missing[number] += message
                if answer > 0 { send(descriptors[number], answerBytes, answerBytes.count, CInt(MSG_NOSIGNAL)) }
                left -= 1
                if left == 0 {
                    left = sockets
                    send(control, [1], 1, CInt(MSG_NOSIGNAL))
                }
            }
        }
    }

    private func connect() throws -> CInt {
        let descriptor = try check("socket", socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var address = loopback(port: port)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = try check("connect", Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)))
            }
        }
        setNoDelay(descriptor)
        return descriptor
    }

    /// Starts this program once more, with other arguments.
    static func spawn(_ arguments: [String]) throws -> pid_t {
        let copies = (["floor"] + arguments).map { strdup($0) }
        defer { copies.forEach { free($0) } }
        var processID = pid_t()
        let code = posix_spawn(&processID, "/proc/self/exe", nil, nil, copies + [nil], environ)
        guard code == 0 else {
            errno = code
            throw SystemError(call: "posix_spawn")
        }
        return processID
    }
}
