/// A media worker as a pod would run it: answers every datagram with its name, and accepts health checks.
public actor Worker {
    /// The name with which it answers.
    public nonisolated let name: String
    /// Its address.
    public nonisolated let host: String
    /// The UDP ports that it answers.
    public nonisolated let ports: [UInt16]
    /// The TCP port that accepts health checks.
    public nonisolated let healthPort: UInt16
    /// How many datagrams came to each port.
    public nonisolated let received = Observed<[UInt16: Int]>([:])

    private var echo: PollThread?
    private var health: PollThread?

    /// Makes a worker that doesn't run yet.
    public init(name: String, host: String, ports: [UInt16], healthPort: UInt16) {
        self.name = name
        self.host = host
        self.ports = ports
        self.healthPort = healthPort
    }

    /// Makes a running worker.
    public static func started(name: String, host: String, ports: [UInt16], healthPort: UInt16) async throws -> Worker {
        let worker = Worker(name: name, host: host, ports: ports, healthPort: healthPort)
        try await worker.start()
        return worker
    }

    /// Opens its ports.
    public func start() throws {
        try startEcho()
        try openHealthPort()
    }

    /// Closes all its ports, as a crash would.
    public func stop() async {
        await closeHealthPort()
        await echo?.stop()
        echo = nil
    }

    /// Accepts health checks again.
    public func openHealthPort() throws {
        guard health == nil else { return }
        let listener = try Descriptor.tcp(listeningOn: SocketAddress(host, healthPort))
        health = try PollThread(
            descriptors: [listener], readable: { _ in listener.acceptAndClose() })
    }

    /// Refuses health checks; datagrams are answered as before.
    public func closeHealthPort() async {
        await health?.stop()
        health = nil
    }

    private func startEcho() throws {
        guard echo == nil else { return }
        let sockets = try ports.map { try Descriptor.udp(boundTo: SocketAddress(host, $0)) }
        let (prefix, ports, received) = (Array("\(name) ".utf8), ports, received)
        echo = try PollThread(
            descriptors: sockets,
            readable: { index in
                let count = sockets[index].answerAll { prefix + $0 }
                let port = ports[index]
                if count > 0 { received.update { $0[port, default: 0] += count } }
            })
    }
}
