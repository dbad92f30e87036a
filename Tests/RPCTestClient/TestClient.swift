import CLinux
import GRPC
import Glibc
public import Transport

/// A gRPC client over a real socket for tests: an actor on an event loop of its own, whose tests wait for conditions.
public actor TestClient: DescriptorHandler {
    private let loop: EventLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// What a wait ends with when its condition does not come true in time.
    public struct TimedOut: Error {}

    /// What a condition may look at.
    public struct State {
        /// The HTTP/2 session.
        public let session: ClientSession
        /// Everything the server sent, as it came; empty while a session speaks.
        public var rawInput: [UInt8] = []
        /// Bytes that the socket has not taken yet.
        public var unsentByteCount = 0
        /// Whether the server closed the connection.
        public var isClosed = false
        /// What OpenSSL had against the connection, once it is closed.
        public var tlsFailure: String?
    }

    private struct Waiter {
        let condition: (State) -> Bool
        let continuation: CheckedContinuation<Void, any Error>
        let timer: TimerToken
    }

    private let descriptor: CInt
    private let speaksHTTP2: Bool
    private let tls: ClientTLS?
    private var state: State
    private var registration: Registration?
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    private var interest: Readiness = .readable
    private var unsent: [UInt8] = []

    /// Connects, from `source` or an address that the system chooses. Without `speaksHTTP2` the bytes are the test's own.
    public init(
        _ address: SocketAddress, from source: SocketAddress? = nil, speaksHTTP2: Bool = true, updatesWindows: Bool = true,
        tls options: ClientTLS.Options? = nil
    ) async throws {
        loop = try EventLoop(name: "test-client")
        self.speaksHTTP2 = speaksHTTP2
        descriptor = socket(address.family, CInt(SOCK_STREAM.rawValue), 0)
        state = State(session: ClientSession(updatesWindows: updatesWindows))
        guard descriptor >= 0, source.map({ [descriptor] in $0.bind(descriptor) == 0 }) ?? true, address.connect(descriptor) == 0,
            fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0
        else {
            throw TimedOut()
        }
        tls = try options.map { [descriptor] in try ClientTLS($0, descriptor: descriptor) }
        try begin()
    }

    private func begin() throws {
        registration = try loop.register(descriptor, .readable, self)
        flush()
    }

    // MARK: - For tests

    /// Does something with the session, then sends what came of it.
    @discardableResult
    public func perform<Result: Sendable>(_ body: @Sendable (ClientSession) -> Result) -> Result {
        defer { flush() }
        return body(state.session)
    }

    /// Looks at what has arrived.
    public func state<Value: Sendable>(_ read: @Sendable (State) -> Value) -> Value { read(state) }

    /// Opens an RPC.
    public func open(_ path: String, endOfStream: Bool = false) -> Int32 {
        perform { $0.request(ClientSession.fields(path: path), endOfStream: endOfStream) }
    }

    /// Sends bytes without regard to HTTP/2.
    public func sendRaw(_ bytes: [UInt8]) {
        unsent += bytes
        flush()
    }

    /// Waits until a condition holds.
    public func until(within limit: Duration = .seconds(20), _ condition: @escaping @Sendable (State) -> Bool) async throws {
        if condition(state) { return }
        let number = nextWaiter
        nextWaiter += 1
        try await withCheckedThrowingContinuation { continuation in
            let timer = loop.schedule(after: limit) {
                self.assumeIsolated { $0.waiters.removeValue(forKey: number)?.continuation.resume(throwing: TimedOut()) }
            }
            waiters[number] = Waiter(condition: condition, continuation: continuation, timer: timer)
        }
    }

    /// Stops reading from the socket, or goes on.
    public func read(_ reads: Bool) {
        guard let registration else { return }
        interest = reads ? .readable : []
        loop.modify(registration, interest)
    }

    /// Ends the client's direction of the socket.
    public func finishSending() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// Makes the connection vanish: the server gets a reset.
    public func abort() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close()
    }

    /// Closes the connection.
    public func close() {
        guard let registration else { return }
        loop.deregister(registration)
        self.registration = nil
        Glibc.close(descriptor)
        state.isClosed = true
        checkWaiters()
    }

    // MARK: - On the loop

    package nonisolated func ready(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    private func handle(_ readiness: Readiness) {
        if readiness.contains(.readable) {
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            let count = tls?.read(&buffer) ?? Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0, speaksHTTP2 { state.session.receive(Array(buffer[..<count])) }
            if count > 0, !speaksHTTP2 { state.rawInput += buffer[..<count] }
            if count == 0 || (count < 0 && errno != EAGAIN) {
                state.tlsFailure = tls?.failure
                return close()
            }
        }
        flush()
        checkWaiters()
    }

    private func flush() {
        guard let registration else { return }
        if speaksHTTP2 { unsent += state.session.takeOutput() }
        defer { state.unsentByteCount = unsent.count }
        while !unsent.isEmpty {
            let count = tls?.write(unsent) ?? Glibc.send(descriptor, unsent, unsent.count, CInt(MSG_NOSIGNAL))
            if count < 0 {
                if errno == EAGAIN, tls?.waitsForInput != true { loop.modify(registration, interest.union(.writable)) }
                return
            }
            unsent.removeFirst(count)
            if unsent.isEmpty { loop.modify(registration, interest) }
        }
    }

    private func checkWaiters() {
        for (number, waiter) in waiters where waiter.condition(state) {
            waiters[number] = nil
            loop.cancel(waiter.timer)
            waiter.continuation.resume()
        }
    }
}
