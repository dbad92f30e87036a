import CLinux
import Glibc

/// A worker of TCP calls: answers whatever comes on a connection with its name and what came.
public final class ConnectionWorker: Sendable {
    /// The name with which it answers.
    public let name: String
    /// Where it listens.
    public let address: SocketAddress
    private let wake: Descriptor

    /// Starts a worker, which runs until the last reference goes.
    public init(name: String, address: SocketAddress) throws {
        self.name = name
        self.address = address
        let wake = try Descriptor(eventfd(0, CInt(EFD_CLOEXEC)), "eventfd")
        self.wake = wake
        let listener = try Descriptor.tcp(listeningOn: address)
        let prefix = Array("\(name) ".utf8)
        try startThread { Self.serve(listener, wake, prefix) }
    }

    deinit {
        var one: UInt64 = 1
        write(wake.number, &one, 8)
    }

    private static func serve(_ listener: Descriptor, _ wake: Descriptor, _ prefix: [UInt8]) {
        var connections: [Descriptor] = []
        while true {
            var entries = ([wake, listener] + connections).map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
            guard poll(&entries, nfds_t(entries.count), -1) >= 0 || errno == EINTR, entries[0].revents == 0 else { return }
            var open: [Descriptor] = []
            for (connection, entry) in zip(connections, entries.dropFirst(2)) {
                if entry.revents != 0 {
                    guard let bytes = connection.receive(), !bytes.isEmpty else { continue }
                    connection.send(prefix + bytes)
                }
                open.append(connection)
            }
            if entries[1].revents != 0, let accepted = try? Descriptor(accept(listener.number, nil, nil), "accept") {
                open.append(accepted)
            }
            connections = open
        }
    }
}

/// A TCP connection of a client.
public struct ClientConnection: Sendable {
    private let socket: Descriptor

    /// Connects to `address` from `source`.
    public static func open(to address: SocketAddress, from source: String) async throws -> ClientConnection {
        ClientConnection(socket: try await offTaskThreads { try Descriptor.tcp(connectedTo: address, from: source) })
    }

    /// Sends `text`, one word, and returns the name of the worker that answers.
    ///
    /// - Throws: `SystemError` when the connection ended, or the answer is another or takes longer than `limit`.
    public func ask(_ text: String, within limit: Duration = .seconds(5)) async throws -> String {
        try await offTaskThreads {
            socket.send(Array(text.utf8))
            guard socket.waitReadable(within: limit) else { throw SystemError("ask \(text)", code: ETIMEDOUT) }
            guard let bytes = socket.receive(), !bytes.isEmpty else { throw SystemError("ask \(text)", code: ECONNRESET) }
            let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            guard words.count == 2, words[1] == text else { throw SystemError("ask \(text)", code: EPROTO) }
            return String(words[0])
        }
    }

    /// Sends `bytes` as they are.
    public func send(_ bytes: [UInt8]) {
        socket.send(bytes)
    }

    /// Whether something comes, and not the end of the connection.
    public func isAnswered(within limit: Duration) async -> Bool {
        let answer = try? await offTaskThreads { socket.waitReadable(within: limit) ? socket.receive() : nil }
        return answer?.isEmpty == false
    }
}
