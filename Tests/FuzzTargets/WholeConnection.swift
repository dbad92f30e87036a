import GRPC
import HTTP2

/// An HTTP/2 session with its RPCs, without a socket. Every message is answered with itself.
enum WholeConnection {
    /// The preface and the settings of a client, so that a fuzzer need not guess them. An input may still say them itself.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    static func run(_ bytes: [UInt8]) {
        let session = ServerSession(settings: SessionSettings())
        var streams: [Int32: ServerStreamStateMachine] = [:]
        let now = ContinuousClock.now
        if bytes.first.map({ $0 & 0x80 == 0 }) ?? true { feed(preface, session, &streams, now) }
        for piece in Pieces(bytes) where session.failure == nil { feed(piece, session, &streams, now) }
        expect(streams.count <= SessionSettings().maximumConcurrentStreams, "too many streams")
        session.terminate()
        session.fillOutput()
    }

    private static func feed(
        _ bytes: [UInt8], _ session: ServerSession, _ streams: inout [Int32: ServerStreamStateMachine],
        _ now: ContinuousClock.Instant
    ) {
        bytes.withUnsafeBytes { session.receive($0, at: now) }
        while true {
            let events = session.takeEvents()
            if events.isEmpty { break }
            for event in events { handle(event, session, &streams) }
        }
        session.fillOutput()
        session.markBlockedStreams()
        _ = session.wrote(session.output.byteCount)
        expect(session.output.isEmpty, "output is left that was written")
    }

    private static func handle(
        _ event: SessionEvent, _ session: ServerSession, _ streams: inout [Int32: ServerStreamStateMachine]
    ) {
        switch event {
        case .request(let id, let fields, let endOfStream):
            switch ServerStreamStateMachine.open(fields, endOfStream: endOfStream, maximumMessageSize: 1 << 16) {
            case .respond(let fields): session.respondAndEnd(id, fields)
            case .open(let machine, _): streams[id] = machine
            }
        case .oversizedRequest(let id):
            session.respondAndEnd(id, ResponseFields.httpError(status: 431, text: "too large"))
        case .data(let id, let bytes): receive(bytes, id, session, &streams)
        case .endOfStream(let id):
            switch streams[id]?.receiveEnd() {
            case .fail(let status): finish(status, id, session, &streams)
            case .deliverEnd: finish(.ok, id, session, &streams)
            case .ignore, nil: break
            }
        case .closed(let id, _): streams[id] = nil
        case .drained, .pingAcknowledged, .goAwayReceived, .failed: break
        }
    }

    private static func receive(
        _ bytes: [UInt8], _ id: Int32, _ session: ServerSession, _ streams: inout [Int32: ServerStreamStateMachine]
    ) {
        var rest = bytes[...]
        while let action = streams[id]?.receive(&rest) {
            switch action {
            case .deliver(let message):
                switch streams[id]?.send() {
                case .sendHeadAndMessage(let fields):
                    session.respond(id, fields)
                    session.send(id, OutboundMessage(head: [], body: message))
                case .sendMessage: session.send(id, OutboundMessage(head: [], body: message))
                case .ignore, nil: break
                }
            case .fail(let status): return finish(status, id, session, &streams)
            case .wait: return
            }
        }
    }

    private static func finish(
        _ status: Status, _ id: Int32, _ session: ServerSession, _ streams: inout [Int32: ServerStreamStateMachine]
    ) {
        switch streams[id]?.finish(status) {
        case .respond(let fields): session.respondAndEnd(id, fields)
        case .sendTrailers(let fields): session.end(id, trailers: fields)
        case .ignore, nil: break
        }
    }
}
