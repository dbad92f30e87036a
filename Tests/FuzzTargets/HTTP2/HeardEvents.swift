import HTTP2

/// What a session hears, when nobody answers and nothing is sent before the end.
struct HeardEvents {
    /// All but data, in order.
    private(set) var texts: [String] = []
    /// What came on each stream: where it is cut depends on where the bytes were.
    private(set) var data: [Int32: [UInt8]] = [:]
    private(set) var failure: SessionFailure?
    /// Whether the client has said that it goes away. Without streams nghttp2 then looks no more at what comes, but for the rest of the
    /// same read.
    private(set) var isGoingAway = false

    /// Whether the end of what is heard depends on where reads end.
    var hasEnded: Bool { failure != nil || isGoingAway }

    /// nghttp2 counts a CONTINUATION once for each read that has a part of its header, and ends the session after eight. No client's
    /// header is cut into so many reads.
    var isCutTooFine: Bool { failure == .flood("too many CONTINUATION frames") }

    init(of pieces: [[UInt8]]) {
        let session = ServerSession(settings: SessionSettings())
        let now = ContinuousClock.now
        for piece in pieces where session.failure == nil {
            piece.withUnsafeBytes { session.receive($0, at: now) }
            for event in session.takeEvents() { take(event) }
        }
        session.fillOutput()
        failure = session.failure
    }

    private mutating func take(_ event: SessionEvent) {
        switch event {
        case .request(let id, let fields, let endOfStream):
            texts.append("request \(id) \(endOfStream)")
            for field in fields { texts.append(field.name + "=" + field.value) }
        case .oversizedRequest(let id): texts.append("oversized \(id)")
        case .data(let id, let bytes): data[id, default: []] += bytes
        case .endOfStream(let id): texts.append("end \(id)")
        case .closed(let id, let code): texts.append("closed \(id) \(code)")
        case .pingAcknowledged(let payload): texts.append("ping \(payload)")
        case .goAwayReceived(let code):
            texts.append("away \(code)")
            isGoingAway = true
        case .failed, .drained: break
        }
    }
}
