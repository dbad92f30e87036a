import CLinux
import Glibc
import TestKit

/// The thread that owns the listener and all connections, and moves bytes between them and the state.
final class ServerThread {
    private let state: SharedState
    private var listener: CInt
    /// Keeps the port while nobody listens.
    private var placeholder: CInt = -1
    private let wake: CInt
    private var connections: [Connection] = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// Beyond this a watch waits for its client.
    private let outputLimit = 16 << 20

    init(state: SharedState, listener: CInt, wake: CInt) {
        self.state = state
        self.listener = listener
        self.wake = wake
    }

    /// Serves until it is told to stop.
    func run() {
        while perform(state.takeCommands()) {
            let time = SharedState.clock()
            for connection in connections { advance(connection, time) }
            connections.removeAll { connection in
                guard connection.isFinished else { return false }
                noteWatch(of: connection, -1)
                return true
            }
            awaitActivity(since: time)
        }
        connections = []
        if listener >= 0 { close(listener) }
        dropPlaceholder()
        close(wake)
        state.hasStopped.update { $0 = true }
    }

    private func awaitActivity(since time: Double) {
        var entries = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0), pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
        ]
        for connection in connections {
            let output = connection.pendingBytes > 0 ? Int16(POLLOUT) : 0
            entries.append(pollfd(fd: connection.socket, events: Int16(POLLIN) | output, revents: 0))
        }
        let wait = nextDeadline().map { max(0, min(60, $0 - time)) }
        guard poll(&entries, nfds_t(entries.count), wait.map { CInt(($0 * 1000).rounded(.up)) } ?? -1) > 0 else { return }
        if entries[0].revents != 0 {
            var count: UInt64 = 0
            read(wake, &count, 8)
        }
        for (connection, entry) in zip(connections, entries.dropFirst(2)) where entry.revents != 0 {
            if entry.revents & Int16(POLLOUT) != 0 { connection.flush() }
            if entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, !connection.receive(&buffer) {
                noteWatch(of: connection, -1)
                connection.activity = .closing
                if connection.pendingBytes > 0 { connection.reset() }
            }
        }
        if entries[1].revents != 0 { accept() }
    }

    private func accept() {
        while true {
            let socket = accept4(listener, nil, nil, CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            guard socket >= 0 else { return }
            state.log.update { $0.connections += 1 }
            let context = state.tls
            let tls = context.flatMap { TLSSession($0) }
            guard tls != nil || context == nil else {
                close(socket)
                continue
            }
            connections.append(Connection(socket: socket, tls: tls))
        }
    }

    private func nextDeadline() -> Double? {
        var next: Double?
        for connection in connections {
            switch connection.activity {
            case .delayed(let until, _, _): next = min(next ?? until, until)
            case .watching(let watch, _, _):
                let skew = state.clockSkew
                let due = min(watch.deadline, watch.wantsBookmarks ? watch.nextBookmark : watch.deadline) - skew
                next = min(next ?? due, due)
            default: break
            }
        }
        return next
    }

    // MARK: Commands

    private func dropPlaceholder() {
        if placeholder >= 0 { close(placeholder) }
        placeholder = -1
    }

    private func perform(_ commands: [SharedState.Command]) -> Bool {
        for command in commands {
            switch command {
            case .stop: return false
            case .dropConnections:
                for connection in connections {
                    noteWatch(of: connection, -1)
                    connection.activity = .closing
                }
                connections = []
            case .closeListener:
                if listener >= 0 { close(listener) }
                listener = -1
                // Else anyone who asks for any free port might be given this one.
                if placeholder < 0, let socket = try? ListeningSocket.open(state.address, listens: false) {
                    placeholder = socket.descriptor
                }
            case .openListener:
                if listener < 0, let socket = try? ListeningSocket.open(state.address) { listener = socket.descriptor }
                dropPlaceholder()
            case .disturb(let disturbance, let resource):
                for connection in connections { disturb(connection, disturbance, resource) }
            }
        }
        if !commands.isEmpty { state.performed.update { $0 += commands.count } }
        return true
    }

    private func disturb(_ connection: Connection, _ disturbance: WatchDisturbance, _ resource: String) {
        guard case .watching(var watch, _, let breaksAfter) = connection.activity, watch.isFor(resource) else { return }
        switch disturbance {
        case .end:
            watch.deadline = 0
            connection.activity = .watching(watch, trickles: false, breaksAfter: breaksAfter)
            return
        case .trickle:
            connection.activity = .watching(watch, trickles: true, breaksAfter: breaksAfter)
            return
        case .bookmark:
            watch.nextBookmark = 0
            connection.activity = .watching(watch, trickles: false, breaksAfter: breaksAfter)
            return
        case .expire:
            watch.error = .expired("too old resource version: \(watch.cursor) (\(watch.cursor + 1))")
            connection.activity = .watching(watch, trickles: false, breaksAfter: breaksAfter)
            return
        case .silence:
            noteWatch(of: connection, -1)
            connection.activity = .silent(watch)
            return
        case .truncate: connection.send(Array("1000\r\n".utf8) + watch.beginningOfEvent)
        case .reset: connection.reset()
        case .close: break
        }
        noteWatch(of: connection, -1)
        connection.activity = .closing
    }

    private func noteWatch(of connection: Connection, _ change: Int) {
        guard case .watching(let watch, _, _) = connection.activity else { return }
        state.log.update { $0.openWatches[watch.type.plural, default: 0] += change }
    }

    // MARK: Requests

    private func advance(_ connection: Connection, _ time: Double) {
        switch connection.activity {
        case .idle:
            do throws(HTTPError) {
                while case .idle = connection.activity, var request = try connection.parser.next() {
                    request.certificateUser = connection.clientName
                    answer(request, on: connection, time)
                }
                connection.continueIfWanted()
            } catch {
                let status = StatusError(error.code, "BadRequest", error.message)
                connection.send(HTTPResponseEncoder.response(CompleteResponse(status), closes: true))
                connection.activity = .closing
            }
            if case .watching = connection.activity { pump(connection, time) }
        case .delayed(let until, let bytes, let closes):
            guard time >= until else { return }
            connection.send(bytes)
            connection.activity = closes ? .closing : .idle
            advance(connection, time)
        case .watching: pump(connection, time)
        case .silent, .closing: break
        }
    }

    private func answer(_ request: APIRequest, on connection: Connection, _ time: Double) {
        let (response, fault) = state.respond(to: request, time: time)
        let closes = request.headers["connection"]?.lowercased().contains("close") ?? false
        switch fault {
        case .hang:
            connection.activity = .silent(nil)
            return
        case .close:
            connection.activity = .closing
            return
        case .reset:
            connection.reset()
            return
        default: break
        }
        switch response {
        case .complete(let response): send(response, fault, closes: closes, isHead: request.method == "HEAD", connection, time)
        case .watch(var watch):
            if case .watchError(let error) = fault { watch.error = error }
            connection.send(HTTPResponseEncoder.streamHead(contentType: watch.contentType))
            if case .silence = fault {
                connection.activity = .silent(watch)
                return
            }
            var trickles = false
            if case .trickle = fault { trickles = true }
            var breaksAfter: Int?
            if case .truncate(let count) = fault { breaksAfter = count }
            connection.activity = .watching(watch, trickles: trickles, breaksAfter: breaksAfter)
            noteWatch(of: connection, 1)
        }
    }

    private func send(
        _ response: CompleteResponse, _ fault: Fault.Action?, closes: Bool, isHead: Bool, _ connection: Connection, _ time: Double
    ) {
        var headers = response.headers
        switch fault {
        case .truncate(let count):
            headers["Transfer-Encoding"] = "chunked"
            let part = response.body.prefix(max(0, min(count, response.body.count - 1)))
            let size = String(response.body.count, radix: 16)
            connection.send(HTTPResponseEncoder.head(response.code, headers) + Array("\(size)\r\n".utf8) + part)
            connection.activity = .closing
        case .trickle(let size):
            headers["Transfer-Encoding"] = "chunked"
            connection.send(
                HTTPResponseEncoder.head(response.code, headers) + HTTPResponseEncoder.chunks(response.body, size: max(1, size))
                    + HTTPResponseEncoder.lastChunk)
            if closes { connection.activity = .closing }
        case .delay(let delay):
            let bytes = HTTPResponseEncoder.response(response, closes: closes, hasBody: !isHead)
            connection.activity = .delayed(until: time + delay / .seconds(1), bytes: bytes, closes: closes)
        default:
            connection.send(HTTPResponseEncoder.response(response, closes: closes, hasBody: !isHead))
            if closes { connection.activity = .closing }
        }
    }

    private func pump(_ connection: Connection, _ time: Double) {
        guard case .watching(var watch, let trickles, var breaksAfter) = connection.activity,
            connection.pendingBytes < outputLimit
        else {
            return
        }
        let (frames, isOver) = state.frames(for: &watch, time: time)
        for frame in frames {
            if let limit = breaksAfter {
                if limit < frame.count {
                    connection.send(Array("\(String(frame.count, radix: 16))\r\n".utf8) + frame[..<max(0, limit)])
                    noteWatch(of: connection, -1)
                    connection.activity = .closing
                    return
                }
                breaksAfter = limit - frame.count
            }
            connection.send(trickles ? HTTPResponseEncoder.chunks(frame, size: 1) : HTTPResponseEncoder.chunk(frame))
        }
        guard isOver else {
            connection.activity = .watching(watch, trickles: trickles, breaksAfter: breaksAfter)
            return
        }
        noteWatch(of: connection, -1)
        connection.send(HTTPResponseEncoder.lastChunk)
        connection.activity = .idle
        advance(connection, time)
    }
}
