import Glibc
import Measurement
import SimulatedEnvoy

/// One connection of a crowd with its streams; used on the crowd's thread only.
final class Member {
    /// Exits of `idle`: `connecting`. Of `connecting`: `open`, `idle`. Of `open`: `idle`.
    enum State {
        case idle
        case connecting
        case open
    }

    let index: Int
    let behaviour: Behaviour
    /// The number in the crowd of its first stream.
    let firstStream: Int
    let streams: [EnvoyStream]
    var state = State.idle
    var channel: (any ByteChannel)?
    var connection: ClientConnection?
    /// Bytes of the connection's output that the socket has taken.
    var written = 0
    var interest: UInt32 = 0
    /// Set with each new connection, so that timers of an earlier one are known.
    var generation = 0
    /// Streams that have not been answered to all they ask for first.
    var incomplete = 0
    /// Whether nothing has come from the server yet on this connection.
    var isAwaitingServer = false
    /// What is acknowledged when the output is gone.
    var unacknowledgedStreams: [Int] = []
    var unacknowledgedCalls: [Int] = []
    unowned let loop: CrowdLoop

    init(index: Int, behaviour: Behaviour, firstStream: Int, streams: [EnvoyStream], loop: CrowdLoop) {
        self.index = index
        self.behaviour = behaviour
        self.firstStream = firstStream
        self.streams = streams
        self.loop = loop
    }

    /// Begins a connection whose streams ask for what they lack.
    func open(_ channel: any ByteChannel, _ profile: EnvoyProfile) {
        let connection = ClientConnection(profile)
        generation += 1
        self.channel = channel
        self.connection = connection
        written = 0
        interest = 0
        incomplete = streams.count
        isAwaitingServer = true
        state = .connecting
        for stream in streams { stream.open(connection) }
    }

    func close() {
        channel?.close()
        channel = nil
        connection = nil
        state = .idle
        unacknowledgedStreams = []
        unacknowledgedCalls = []
    }
}

extension Member: ConnectionReceiver {
    func received(_ message: UnsafeRawBufferPointer, on number: Int) {
        guard let connection else { return }
        let stream = streams[number]
        let wasComplete = stream.isComplete
        let rejects = behaviour == .rejecting
        guard let response = stream.receive(message, connection, rejects: rejects) else { return }
        if stream.isComplete && !wasComplete { incomplete -= 1 }
        loop.received(response, from: self, firstStream + number, becameComplete: stream.isComplete && !wasComplete)
        if rejects && wasComplete { loop.rejected() }
    }

    func ended(_ stream: Int?, _ reason: String) { loop.lose(self, reason) }
}
