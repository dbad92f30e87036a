import GRPC

/// The open connections of one loop.
actor ConnectionSet {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let context: ServerContext
    private weak var listener: Listener?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var isDraining = false
    /// What new connections shake hands with; nil where plaintext is spoken.
    private var tls: TLSContext?
    private var emptied: CheckedContinuation<Void, Never>?
    /// Names, and not the connections: one that is closed before its turn must not take room that no limit knows of.
    private var handshakes = HandshakeQueue<[UInt8], ObjectIdentifier>()
    private var handshakeShare: TimeShare
    /// Whether handshakes have a turn ahead.
    private var areHandshakesPlanned = false

    /// How long handshakes go on before others on the loop have their turn.
    private static let handshakeSlice = Duration.milliseconds(2)
    /// What handshakes may take of the loop's time beyond their share after a while without any.
    private static let handshakeBurst = Duration.milliseconds(50)

    init(_ context: ServerContext, tls: TLSContext?, loop: EventLoop) {
        handshakeShare = TimeShare(context.configuration.handshakeShare, burst: Self.handshakeBurst, at: .now)
        self.context = context
        self.tls = tls
        self.loop = loop
    }

    /// Connections to come use another context.
    func use(_ tls: TLSContext) {
        self.tls = tls
    }

    /// Takes a connected socket over from the listener, which is told when it is closed.
    func open(_ descriptor: CInt, peer: SocketAddress, from listener: Listener) {
        self.listener = listener
        guard let channel = channel(descriptor) else { return release(peer) }
        let connection = Connection(context, channel: channel, peer: peer, loop: loop, owner: self)
        connections[ObjectIdentifier(connection)] = connection
        connection.assumeIsolated { $0.open() }
        if isDraining { connection.assumeIsolated { $0.terminate() } }
    }

    func remove(_ connection: Connection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        release(connection.peer)
        if connections.isEmpty { resumeDrain() }
    }

    private func channel(_ descriptor: CInt) -> sending (any ByteChannel)? {
        guard let tls else { return SocketChannel(descriptor: descriptor) }
        return tls.channel(descriptor)
    }

    private func release(_ peer: SocketAddress) {
        guard let listener else { return }
        listener.loop.submit { listener.assumeIsolated { $0.released(peer) } }
    }

    // MARK: - Handshakes

    /// The handshake of a connection can go on, and does when its turn comes.
    func awaitHandshakeTurn(_ connection: Connection) {
        handshakes.append(
            ObjectIdentifier(connection), of: connection.peer.network,
            hasBegun: connection.assumeIsolated { $0.hasBegunHandshake })
        planHandshakes(after: nil)
    }

    private func planHandshakes(after pause: Duration?) {
        guard !areHandshakesPlanned else { return }
        areHandshakesPlanned = true
        let shakeHands: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.shakeHands() } }
        if let pause { loop.schedule(after: pause, shakeHands) } else { loop.submit(shakeHands) }
    }

    /// A slice of them: each costs a millisecond or so, and a flood must leave the loop to those who are connected.
    private func shakeHands() {
        areHandshakesPlanned = false
        let (end, begun) = (ContinuousClock.now + Self.handshakeSlice, ProcessorTime.ofThread)
        while let name = handshakes.popFirst() {
            connections[name]?.assumeIsolated { $0.takeHandshakeTurn() }
            if .now >= end { break }
        }
        let pause = handshakeShare.took(ProcessorTime.ofThread - begun, at: .now)
        if pause != nil || !handshakes.isEmpty { planHandshakes(after: pause) }
    }

    // MARK: - The end

    /// Shuts all connections down and returns when the last is closed, by force after the grace period or when cancelled.
    func drain(within gracePeriod: Duration) async {
        isDraining = true
        shutDownAll()
        let timer = loop.schedule(after: gracePeriod) {
            self.assumeIsolated { $0.terminateAll() }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation {
                emptied = $0
                if connections.isEmpty { resumeDrain() }
            }
        } onCancel: {
            loop.submit { self.assumeIsolated { $0.terminateAll() } }
        }
        loop.cancel(timer)
    }

    private func shutDownAll() {
        for connection in Array(connections.values) {
            connection.assumeIsolated { $0.shutDown() }
        }
    }

    private func terminateAll() {
        for connection in Array(connections.values) {
            connection.assumeIsolated { $0.terminate() }
        }
    }

    private func resumeDrain() {
        emptied?.resume()
        emptied = nil
    }
}
