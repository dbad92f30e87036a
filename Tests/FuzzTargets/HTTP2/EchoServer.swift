import GRPC
import HTTP2

/// Answers every message with itself.
struct EchoServer {
    let session = ServerSession(settings: SessionSettings())
    private(set) var streams: [Int32: ServerStreamStateMachine] = [:]
    /// All that was given to each stream to send, framed.
    private(set) var echoed: [Int32: [UInt8]] = [:]

    mutating func handleEvents() {
        while true {
            let events = session.takeEvents()
            if events.isEmpty { return }
            for event in events { handle(event) }
        }
    }

    private mutating func handle(_ event: SessionEvent) {
        switch event {
        case .request(let id, let fields, let endOfStream):
            switch ServerStreamStateMachine.open(fields, endOfStream: endOfStream, maximumMessageSize: 1 << 16) {
            case .respond(let fields): session.respondAndEnd(id, fields)
            case .open(let machine, _): streams[id] = machine
            }
        case .oversizedRequest(let id):
            session.respondAndEnd(id, ResponseFields.httpError(status: 431, text: "too large"))
        case .data(let id, let bytes): receive(bytes, id)
        case .endOfStream(let id):
            switch streams[id]?.receiveEnd() {
            case .fail(let status): finish(status, id)
            case .deliverEnd: finish(.ok, id)
            case .ignore, nil: break
            }
        case .closed(let id, _): streams[id] = nil
        case .drained, .pingAcknowledged, .goAwayReceived, .failed: break
        }
    }

    private mutating func receive(_ bytes: [UInt8], _ id: Int32) {
        var rest = bytes[...]
        while let action = streams[id]?.receive(&rest) {
            switch action {
            case .deliver(let message):
                switch streams[id]?.send() {
                case .sendHeadAndMessage(let fields):
                    session.respond(id, fields)
                    send(message, id)
                case .sendMessage: send(message, id)
                case .ignore, nil: break
                }
            case .fail(let status): return finish(status, id)
            case .wait: return
            }
        }
    }

    /// In two pieces, as responses are.
    private mutating func send(_ message: [UInt8], _ id: Int32) {
        let parts = OutboundMessage(
            head: Array(message.prefix(message.count / 2)), body: Array(message.dropFirst(message.count / 2)))
        session.send(id, parts)
        echoed[id, default: []] += parts.head + parts.body
    }

    private mutating func finish(_ status: Status, _ id: Int32) {
        switch streams[id]?.finish(status) {
        case .respond(let fields): session.respondAndEnd(id, fields)
        case .sendTrailers(let fields): session.end(id, trailers: fields)
        case .ignore, nil: break
        }
    }
}
