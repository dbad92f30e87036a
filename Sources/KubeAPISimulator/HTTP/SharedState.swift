import Glibc
import Synchronization
import TestKit

/// What the server's thread and the tests share: the API server behind one lock, faults, and orders to the thread.
final class SharedState: Sendable {
    enum Command: Sendable {
        case stop, dropConnections, closeListener, openListener
        case disturb(WatchDisturbance, resource: String)
    }

    struct State: Sendable {
        var server: APIServer
        /// What new connections use; nil without TLS.
        var tls: TLSContext?
        var faults: [Fault] = []
        var commands: [Command] = []
        var commandCount = 0
    }

    let state: Mutex<State>
    let log = Observed(RequestLog())
    /// How many commands were performed.
    let performed = Observed(0)
    let hasStopped = Observed(false)
    let address: ListeningAddress
    private let wake: CInt

    init(server: APIServer, tls: TLSContext?, address: ListeningAddress, wake: CInt) {
        state = Mutex(State(server: server, tls: tls))
        self.address = address
        self.wake = wake
    }

    /// Seconds since 1970.
    static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// What new connections use; nil without TLS.
    var tls: TLSContext? { state.withLock { $0.tls } }

    /// Lets new connections use other files, or those of before as they are now; open connections go on as they began.
    func use(_ files: TLSFiles?) throws(TLSError) {
        guard let former = tls else { throw TLSError(description: "this server was started without TLS") }
        let context = try TLSContext(files ?? former.files)
        state.withLock { state in
            state.tls = context
            state.server.settings.asksForCertificates = context.files.clientAuthority != nil
        }
    }

    var clockSkew: Double { state.withLock { $0.server.settings.clockSkew } }

    /// Makes the thread look at the state.
    func ring() {
        // After the end the descriptor may be someone else's.
        if hasStopped.value { return }
        var one: UInt64 = 1
        write(wake, &one, 8)
    }

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// Gives the thread an order; returns how many were given with it.
    @discardableResult
    func order(_ commands: Command...) -> Int {
        let count = state.withLock { state in
            state.commands += commands
            state.commandCount += commands.count
            return state.commandCount
        }
        ring()
        return count
    }

    /// Changes the API server, as one of its requests would.
    func withServer<Result: Sendable, Failure: Error>(
        _ body: (inout APIServer) throws(Failure) -> sending Result
    ) throws(Failure) -> Result {
        defer { ring() }
        return try state.withLock { state throws(Failure) in
            state.server.now = Self.clock() + state.server.settings.clockSkew
            return try body(&state.server)
        }
    }

    func frames(for watch: inout Watch, time: Double) -> (frames: [[UInt8]], isOver: Bool) {
        state.withLock { state in
            state.server.now = time + state.server.settings.clockSkew
            let frames = state.server.frames(for: &watch)
            return (frames, watch.error != nil || state.server.now >= watch.deadline)
        }
    }

    func respond(to request: APIRequest, time: Double) -> (APIResponse, Fault.Action?) {
        if request.path.hasPrefix("/simulator/") {
            return (.complete(ControlEndpoint(shared: self).respond(to: request)), nil)
        }
        let (response, fault, key) = state.withLock { state -> (APIResponse, Fault.Action?, RequestLog.Key) in
            let server = state.server
            let route = (try? Route(request, server.types)).flatMap { $0 }
            let verb = route?.verb.rawValue ?? request.method.lowercased()
            let resource = route?.resource ?? request.path
            let fault = state.takeFault(verb: verb, resource: resource, userAgent: request.userAgent)
            var response: APIResponse
            switch fault {
            case .fail(let error): response = .complete(CompleteResponse(error))
            case .hang, .close, .reset: response = .complete(CompleteResponse(0, json: [:]))
            default:
                state.server.now = time + state.server.settings.clockSkew
                response = state.server.respond(to: request)
            }
            var status = 200
            if case .complete(let complete) = response { status = complete.code }
            return (response, fault, RequestLog.Key(verb: verb, resource: resource, status: status, userAgent: request.userAgent))
        }
        log.update { $0.counts[key, default: 0] += 1 }
        return (response, fault)
    }
}

extension SharedState.State {
    fileprivate mutating func takeFault(verb: String, resource: String, userAgent: String) -> Fault.Action? {
        let index = faults.firstIndex { $0.match.matches(verb: verb, resource: resource, userAgent: userAgent) }
        guard let index else { return nil }
        let action = faults[index].action
        if let times = faults[index].times {
            faults[index].times = times - 1
            if times <= 1 { faults.remove(at: index) }
        }
        return action
    }
}
