import AllocationCount
import CNghttp2
import GRPC
import HTTP2
import RPCTestClient
import Testing

@Suite struct ServerSessionTests {
    /// A client and a server whose bytes are carried in memory.
    private final class Pair {
        let server: ServerSession
        let client: ClientSession
        var events: [SessionEvent] = []
        let now = ContinuousClock.now

        init(settings: SessionSettings = SessionSettings(), updatesWindows: Bool = true) {
            server = ServerSession(settings: settings)
            client = ClientSession(updatesWindows: updatesWindows)
            exchange()
        }

        /// Carries bytes to and fro until both are silent.
        func exchange() {
            var isAnything = true
            while isAnything {
                let request = client.takeOutput()
                request.withUnsafeBytes { server.receive($0, at: now) }
                events += server.takeEvents()
                let response = takeServerOutput()
                client.receive(response)
                isAnything = !request.isEmpty || !response.isEmpty
            }
            server.markBlockedStreams()
            events += server.takeEvents()
        }

        func takeServerOutput() -> [UInt8] {
            var output: [UInt8] = []
            while true {
                server.fillOutput()
                if server.output.isEmpty { return output }
                let piece = server.output.withVectors(maximum: 4) { $0.flatMap { Array($0) } }
                server.wrote(piece.count)
                output += piece
            }
        }

        func request(endOfStream: Bool = false) -> Int32 {
            defer { exchange() }
            return client.request(ClientSession.fields(path: "/a.B/C"), endOfStream: endOfStream)
        }

        var failure: SessionFailure? {
            for case .failed(let failure) in events { return failure }
            return nil
        }
    }

    /// From the message to the socket and back to rest. What a push allocates, ten thousand connections allocate: it must not creep up.
    @Test func aMessageAllocatesLittle() {
        let pair = Pair()
        let id = pair.request()
        pair.server.respond(id, [(":status", "200")])
        var counts: [UInt64] = []
        for _ in 0..<5 {
            let message = OutboundMessage(head: Array(repeating: 1, count: 10), body: Array(repeating: 2, count: 1500))
            let before = allocation_count()
            pair.server.send(id, message)
            pair.server.fillOutput()
            let output = pair.server.output.withVectors(maximum: 4) { $0.count }
            let byteCount = pair.server.output.byteCount
            pair.server.wrote(byteCount)
            counts.append(allocation_count() - before)
            #expect(output == 2 || counts.count == 1)
            #expect(pair.server.output.isEmpty)
        }
        #expect(counts.dropFirst().allSatisfy { $0 <= 8 })
    }

    @Test func announcesItsSettings() {
        let pair = Pair()
        #expect(pair.server.isPrefaceComplete)
        #expect(pair.client.serverSettings[Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue)] == 0)
        #expect(pair.client.serverSettings[Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue)] == 2048)
        #expect(pair.client.serverSettings[Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue)] == 16_384)
    }

    @Test func reportsRequestDataAndEndInOrder() {
        let pair = Pair()
        let id = pair.request()
        pair.client.send(id, [1, 2, 3])
        pair.client.end(id)
        pair.exchange()
        guard pair.events.count == 3,
            case .request(id, let fields, false) = pair.events[0],
            case .data(id, [0, 0, 0, 0, 3, 1, 2, 3]) = pair.events[1],
            case .endOfStream(id) = pair.events[2]
        else {
            Issue.record("unexpected events: \(pair.events)")
            return
        }
        #expect(fields.map(\.name).prefix(2) == [":method", ":scheme"])
    }

    @Test func sendsHeadMessagesAndTrailers() {
        let pair = Pair()
        let id = pair.request(endOfStream: true)
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        pair.server.respond(id, ResponseFields.head)
        pair.server.send(id, OutboundMessage(head: [9], body: body))
        pair.server.send(id, OutboundMessage(head: [], body: []))
        pair.exchange()
        #expect(pair.server.pendingByteCount == 0)
        pair.server.send(id, OutboundMessage(head: [8], body: []))
        pair.server.end(id, trailers: ResponseFields.trailers(.ok))
        pair.exchange()
        let stream = pair.client.streams[id]
        #expect(stream?.messages == [[9] + body, [], [8]])
        #expect(stream?.sections.map { $0.map(\.name) } == [[":status", "content-type"], ["grpc-status"]])
        #expect(stream?.isEnded == true)
        #expect(stream?.closeCode == 0)
        #expect(!pair.client.isBroken)
        guard case .closed(id, 0) = pair.events.last else {
            Issue.record("the stream is not closed: \(pair.events)")
            return
        }
    }

    @Test func trailersAloneAfterTheHead() {
        let pair = Pair()
        let id = pair.request(endOfStream: true)
        pair.server.respond(id, ResponseFields.head)
        pair.exchange()
        pair.server.end(id, trailers: ResponseFields.trailers(.ok))
        pair.exchange()
        #expect(pair.client.streams[id]?.value("grpc-status") == "0")
        #expect(pair.client.streams[id]?.closeCode == 0)
        #expect(!pair.client.isBroken)
    }

    @Test func resetsWhatTheClientStillSendsAfterTheEnd() {
        let pair = Pair()
        let id = pair.request()
        pair.server.respondAndEnd(id, ResponseFields.trailersOnly(Status(.unimplemented, "no")))
        pair.exchange()
        #expect(pair.client.streams[id]?.value("grpc-status") == "12")
        #expect(pair.client.streams[id]?.closeCode == 0)
        guard case .closed(id, 0) = pair.events.last else {
            Issue.record("the stream is not closed: \(pair.events)")
            return
        }
    }

    @Test func reportsResets() {
        let pair = Pair()
        let id = pair.request()
        pair.server.respond(id, ResponseFields.head)
        pair.server.send(id, OutboundMessage(head: [], body: [1]))
        pair.client.reset(id)
        pair.exchange()
        guard case .closed(id, NGHTTP2_CANCEL.rawValue) = pair.events.last else {
            Issue.record("no reset: \(pair.events)")
            return
        }
        #expect(pair.server.pendingByteCount == 0)
        // Calls for a stream that is gone are ignored.
        pair.server.send(id, OutboundMessage(head: [], body: [1]))
        pair.server.end(id, trailers: ResponseFields.trailers(.ok))
        pair.exchange()
        #expect(pair.server.failure == nil)
    }

    @Test func aClosedWindowHoldsMessagesBackAndTheOutputStaysSmall() {
        let pair = Pair(updatesWindows: false)
        let id = pair.request(endOfStream: true)
        let message = OutboundMessage(head: [], body: [UInt8](repeating: 1, count: 1_000_000))
        pair.server.respond(id, ResponseFields.head)
        pair.server.send(id, message)
        pair.server.fillOutput()
        #expect(pair.server.output.byteCount < 64 * 1024 + 16 * 1024 + 18)
        pair.exchange()
        #expect(pair.client.streams[id]?.byteCount == 65535)
        #expect(pair.server.pendingByteCount(of: id) == message.byteCount - 65535)
        #expect(pair.server.output.isEmpty)
    }

    @Test func saysWhenABlockedStreamIsDrained() {
        let pair = Pair()
        let id = pair.request()
        pair.server.respond(id, ResponseFields.head)
        pair.server.send(id, OutboundMessage(head: [], body: [UInt8](repeating: 1, count: 200_000)))
        pair.server.markBlockedStreams()
        pair.exchange()
        guard case .drained(id) = pair.events.last else {
            Issue.record("not drained: \(pair.events)")
            return
        }
        pair.events = []
        pair.server.send(id, OutboundMessage(head: [], body: [1]))
        pair.exchange()
        #expect(pair.events.isEmpty)
    }

    @Test func dropsOversizedHeaderLists() {
        let pair = Pair()
        let big = (0..<40).map { HeaderField("x-\($0)", String(repeating: "v", count: 500)) }
        let id = pair.client.request(ClientSession.fields(path: "/a.B/C") + big)
        pair.exchange()
        guard case .oversizedRequest(id) = pair.events.first else {
            Issue.record("unexpected events: \(pair.events)")
            return
        }
        #expect(pair.server.failure == nil)
    }

    @Test func shutsDownInTwoSteps() {
        let pair = Pair()
        let id = pair.request()
        pair.server.announceShutdown()
        pair.server.ping(payload: 77)
        pair.exchange()
        #expect(pair.client.goAways.map(\.lastStreamID) == [.max])
        guard case .pingAcknowledged(77) = pair.events.last else {
            Issue.record("no acknowledgement: \(pair.events)")
            return
        }
        pair.server.refuseNewStreams()
        pair.exchange()
        #expect(pair.client.goAways.map(\.lastStreamID) == [.max, id])
        #expect(!pair.server.isFinished)
        pair.server.respondAndEnd(id, ResponseFields.trailersOnly(.ok))
        pair.exchange()
        #expect(pair.server.isFinished)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"])
    func refusesAWrongPreface(text: String) {
        let server = ServerSession(settings: SessionSettings())
        Array(text.utf8).withUnsafeBytes { server.receive($0, at: .now) }
        #expect(server.failure == .badPreface)
    }

    @Test func refusesFramesThatBreakTheProtocol() {
        let pair = Pair()
        // DATA on stream 0 (RFC 9113 section 6.1).
        let frame: [UInt8] = [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
        frame.withUnsafeBytes { pair.server.receive($0, at: pair.now) }
        pair.exchange()
        #expect(pair.client.goAways.last?.errorCode == NGHTTP2_PROTOCOL_ERROR.rawValue)
        guard case .protocolViolation = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
    }

    // MARK: - Floods

    @Test func endsARapidReset() {
        var settings = SessionSettings()
        settings.resetBurst = 50
        let pair = Pair(settings: settings)
        for _ in 0..<60 {
            pair.client.reset(pair.request())
            pair.exchange()
        }
        guard case .flood = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
        #expect(pair.client.goAways.last?.errorCode == NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
    }

    @Test func endsResetsProvokedByTheClient() {
        var settings = SessionSettings()
        settings.resetBurst = 50
        let pair = Pair(settings: settings)
        for _ in 0..<60 {
            let id = pair.request()
            // A window over 2^31-1 is a stream error (RFC 9113 section 6.9.1).
            let frame: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, UInt8(id), 0x7F, 0xFF, 0xFF, 0xFF]
            frame.withUnsafeBytes { pair.server.receive($0, at: pair.now) }
            pair.exchange()
        }
        guard case .flood = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
    }

    @Test(
        arguments: [
            [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],  // PING
            [0, 0, 0, 4, 0, 0, 0, 0, 0],  // SETTINGS
            [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1],  // WINDOW_UPDATE
            [0, 0, 5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0],  // PRIORITY
            [0, 0, 0, 0, 0, 0, 0, 0, 1],  // empty DATA
        ] as [[UInt8]])
    func endsFloodsOfControlFrames(frame: [UInt8]) {
        var settings = SessionSettings()
        settings.controlFrameBurst = 500
        let pair = Pair(settings: settings)
        _ = pair.request()
        for _ in 0..<6 {
            let burst = Array(repeating: frame, count: 100).flatMap { $0 }
            burst.withUnsafeBytes { pair.server.receive($0, at: pair.now) }
            _ = pair.takeServerOutput()
            pair.events += pair.server.takeEvents()
        }
        guard case .flood = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
    }

    @Test func endsAFloodOfContinuations() {
        let pair = Pair()
        // HEADERS with a table size update, which the server's settings demand, and `:method: POST`; more is to follow.
        let headers: [UInt8] = [0, 0, 2, 1, 0, 0, 0, 0, 1, 0x20, 0x83]
        let continuation: [UInt8] = [0, 0, 0, 9, 0, 0, 0, 0, 1]
        let flood = headers + Array(repeating: continuation, count: 20).flatMap { $0 }
        flood.withUnsafeBytes { pair.server.receive($0, at: pair.now) }
        pair.exchange()
        guard case .flood = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
    }

    @Test func aPeerThatDoesNotReadCannotQueueAnswersForEver() {
        let pair = Pair()
        let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        for _ in 0..<30 {
            let burst = Array(repeating: ping, count: 100).flatMap { $0 }
            burst.withUnsafeBytes { pair.server.receive($0, at: pair.now) }
        }
        pair.events += pair.server.takeEvents()
        guard case .flood = pair.failure else {
            Issue.record("no such failure: \(String(describing: pair.failure))")
            return
        }
    }
}
