import CLinux
import Glibc
import Logging

/// Accepts connections and deals them to the loops in turn.
actor Listener: DescriptorHandler {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Connections taken from the system in a row before others on the loop get a turn.
    private static let acceptsPerTurn = 64
    /// How long to accept nothing when the process or the system has no descriptor left.
    private static let pause = Duration.milliseconds(200)

    private let socket: ListeningSocket
    private let context: ServerContext
    private let sets: [ConnectionSet]
    private var registration: Registration?
    private var isPortOpen = true
    /// Whether the last accept failed for want of descriptors, which is logged once until one succeeds.
    private var isStarved = false
    private var turn = 0
    private var count = 0
    private var countByAddress: [[UInt8]: Int] = [:]

    init(_ context: ServerContext, socket: ListeningSocket, sets: [ConnectionSet], loop: EventLoop) {
        self.context = context
        self.socket = socket
        self.sets = sets
        self.loop = loop
    }

    deinit {
        if isPortOpen { socket.close() }
    }

    func start() throws(SystemError) {
        registration = try loop.register(socket.descriptor, .readable, self)
    }

    /// Accepts no more and closes the port.
    func stop() {
        guard let registration else { return }
        loop.deregister(registration)
        self.registration = nil
        isPortOpen = false
        socket.close()
    }

    nonisolated func ready(_ readiness: Readiness) {
        assumeIsolated { $0.acceptAll() }
    }

    private func acceptAll() {
        for _ in 0..<Self.acceptsPerTurn {
            var number: CInt = 0
            let (descriptor, peer) = SocketAddress.filled { address, length in
                let descriptor = accept4(
                    socket.descriptor, address, &length, CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                number = errno
                return descriptor
            }
            guard descriptor >= 0 else {
                switch number {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return rest(SystemError("accept4", number))
                default: continue  // this client is gone already
                }
            }
            isStarved = false
            admit(descriptor, peer ?? SocketAddress(octets: [0, 0, 0, 0], port: 0))
        }
    }

    /// Looks away from the port for a while: a level-triggered descriptor that cannot be served would keep the loop spinning.
    private func rest(_ error: SystemError) {
        guard let registration else { return }
        if !isStarved {
            context.logger.error(
                "No connection can be accepted for the moment: raise the limit of open files (ulimit -n)",
                metadata: ["reason": "\(error)", "connections": "\(count)"])
        }
        isStarved = true
        loop.modify(registration, [])
        loop.schedule(after: Self.pause) {
            self.assumeIsolated { $0.resume() }
        }
    }

    private func resume() {
        guard let registration else { return }
        loop.modify(registration, .readable)
    }

    private func admit(_ descriptor: CInt, _ peer: SocketAddress) {
        let configuration = context.configuration
        let ofAddress = countByAddress[peer.octets, default: 0]
        guard count < configuration.maximumConnections, ofAddress < configuration.maximumConnectionsPerAddress ?? .max else {
            context.logger.notice(
                "A connection is refused: too many are open", metadata: ["peer": "\(peer)", "connections": "\(count)"])
            close(descriptor)
            return
        }
        count += 1
        if configuration.maximumConnectionsPerAddress != nil { countByAddress[peer.octets] = ofAddress + 1 }
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        let set = sets[turn % sets.count]
        turn &+= 1
        set.loop.submit {
            set.assumeIsolated { $0.open(descriptor, peer: peer, from: self) }
        }
    }

    /// A connection that was admitted is closed.
    func released(_ peer: SocketAddress) {
        count -= 1
        if let ofAddress = countByAddress[peer.octets] {
            countByAddress[peer.octets] = ofAddress > 1 ? ofAddress - 1 : nil
        }
    }
}
