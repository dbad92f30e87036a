import GRPC
import HTTP2
import RPCTestClient
import Testing

/// What breaks the rules of RFC 9113, section by section, and how it ends.
///
/// nghttp2 decides most of it, and may be stricter: a stream error may be treated as one of the connection (section 5.4.2).
@Suite struct ViolationTests {
    /// How the server answers; the numbers are error codes (RFC 9113 section 7).
    enum Answer: Hashable {
        /// GOAWAY with this code.
        case connection(UInt32)
        /// RST_STREAM with this code, and the connection lives.
        case stream(UInt32)
        /// Nothing but what a good client would see.
        case none
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let section: String
        let what: String
        let bytes: [UInt8]
        let answer: Answer

        init(_ section: String, _ what: String, _ bytes: [UInt8], _ answer: Answer) {
            (self.section, self.what, self.bytes, self.answer) = (section, what, bytes, answer)
        }

        var testDescription: String { "\(section): \(what)" }
    }

    private static let protocolError: UInt32 = 1
    private static let flowControlError: UInt32 = 3
    private static let streamClosed: UInt32 = 5
    private static let frameSizeError: UInt32 = 6
    private static let compressionError: UInt32 = 9

    private static let good = RawFrame.request("/a.B/C")
    private static let open = RawFrame.headers(1, good)
    private static let half = RawFrame.headers(1, good, endStream: true)
    private static func request(_ fields: [(String, String)]) -> [UInt8] { RawFrame.headers(1, fields) }
    private static func with(_ field: (String, String)) -> [UInt8] { request(good + [field]) }
    private static func without(_ name: String) -> [UInt8] { request(good.filter { $0.0 != name }) }

    static let frames: [Case] = [
        Case(
            "4.2", "a frame of more than 16,384 bytes", open + RawFrame.frame(.data, stream: 1, length: 16_385),
            .connection(frameSizeError)),
        Case(
            "4.3", "a header block that is none",
            RawFrame.frame(.headers, flags: 4, stream: 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), .connection(compressionError)),
        Case(
            "4.3", "an index beyond the table", RawFrame.frame(.headers, flags: 4, stream: 1, [0x20, 0xFE]),
            .connection(compressionError)),
        Case(
            "4.3", "no table size update after the settings", RawFrame.frame(.headers, flags: 4, stream: 1, [0x83]),
            .connection(compressionError)),
        Case(
            "4.3", "a table larger than the settings", RawFrame.frame(.headers, flags: 4, stream: 1, [0x3F, 0xE1, 0x1F, 0x83]),
            .connection(compressionError)),
        Case("5.1", "DATA on an idle stream", RawFrame.frame(.data, stream: 1, [1]), .connection(protocolError)),
        Case("5.1", "WINDOW_UPDATE on an idle stream", RawFrame.windowUpdate(1, stream: 1), .connection(protocolError)),
        Case("5.1", "RST_STREAM on an idle stream", RawFrame.reset(1), .connection(protocolError)),
        Case("5.1", "DATA after END_STREAM", half + RawFrame.frame(.data, stream: 1, [1]), .connection(streamClosed)),
        Case("5.1", "HEADERS after END_STREAM", half + RawFrame.headers(1, good), .connection(streamClosed)),
        Case("5.1.1", "an even stream", RawFrame.headers(2, good), .connection(protocolError)),
        Case(
            "5.1.1", "a stream below the last, which counts as closed", RawFrame.headers(5, good) + RawFrame.headers(3, good),
            .none),
        Case("6.1", "DATA on stream 0", RawFrame.frame(.data, [1]), .connection(protocolError)),
        Case(
            "6.1", "more padding than payload", open + RawFrame.frame(.data, flags: RawFrame.padded, stream: 1, [9, 0]),
            .connection(protocolError)),
        Case("6.2", "HEADERS on stream 0", RawFrame.headers(0, good), .connection(protocolError)),
        Case(
            "6.2", "another frame inside a header section",
            RawFrame.frame(.headers, stream: 1, [0x20]) + RawFrame.frame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]),
            .connection(protocolError)),
        Case(
            "6.3", "PRIORITY on stream 0, which is ignored with all of its kind", RawFrame.frame(.priority, [0, 0, 0, 0, 0]),
            .none),
        Case(
            "6.3", "PRIORITY of 4 bytes", open + RawFrame.frame(.priority, stream: 1, [0, 0, 0, 0]), .connection(frameSizeError)),
        Case("6.4", "RST_STREAM on stream 0", RawFrame.reset(0), .connection(protocolError)),
        Case(
            "6.4", "RST_STREAM of 3 bytes", open + RawFrame.frame(.resetStream, stream: 1, [0, 0, 0]), .connection(frameSizeError)
        ),
        Case("6.5", "SETTINGS on a stream", RawFrame.frame(.settings, stream: 1), .connection(protocolError)),
        Case("6.5", "SETTINGS of 5 bytes", RawFrame.frame(.settings, [0, 1, 0, 0, 0]), .connection(frameSizeError)),
        Case(
            "6.5", "an acknowledgement with a payload", RawFrame.frame(.settings, flags: 1, [0, 1, 0, 0, 0, 0]),
            .connection(frameSizeError)),
        Case("6.5.2", "ENABLE_PUSH of 2", RawFrame.settings([(2, 2)]), .connection(protocolError)),
        Case("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", RawFrame.settings([(4, 1 << 31)]), .connection(flowControlError)),
        Case("6.5.2", "MAX_FRAME_SIZE of 16,383", RawFrame.settings([(5, 16_383)]), .connection(protocolError)),
        Case("6.5.2", "MAX_FRAME_SIZE of 2^24", RawFrame.settings([(5, 1 << 24)]), .connection(protocolError)),
        Case("6.5.2", "a setting that nobody knows", RawFrame.settings([(0xF0, 7)]), .none),
        Case(
            "6.6", "PUSH_PROMISE of a client", open + RawFrame.frame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2, 0x20]),
            .connection(protocolError)),
        Case("6.7", "PING on a stream", RawFrame.frame(.ping, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0]), .connection(protocolError)),
        Case("6.7", "PING of 7 bytes", RawFrame.frame(.ping, [0, 0, 0, 0, 0, 0, 0]), .connection(frameSizeError)),
        Case(
            "6.8", "GOAWAY on a stream", RawFrame.frame(.goAway, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0]), .connection(protocolError)),
        Case("6.9", "WINDOW_UPDATE of 0 on the connection", RawFrame.windowUpdate(0), .connection(protocolError)),
        Case("6.9", "WINDOW_UPDATE of 0 on a stream", open + RawFrame.windowUpdate(0, stream: 1), .connection(protocolError)),
        Case("6.9", "WINDOW_UPDATE of 3 bytes", RawFrame.frame(.windowUpdate, [0, 0, 1]), .connection(frameSizeError)),
        Case("6.9.1", "a connection window over 2^31-1", RawFrame.windowUpdate(0x7FFF_FFFF), .connection(flowControlError)),
        Case(
            "6.9.1", "a stream window over 2^31-1", open + RawFrame.windowUpdate(0x7FFF_FFFF, stream: 1),
            .stream(flowControlError)),
        Case(
            "6.9.2", "settings that lift a window over 2^31-1",
            open + RawFrame.windowUpdate(0x7FFF_0000, stream: 1) + RawFrame.settings([(4, 0x7FFF_FFFF)]),
            .stream(flowControlError)),
        Case(
            "6.10", "CONTINUATION of nothing", RawFrame.frame(.continuation, flags: 4, stream: 1, [0x20]),
            .connection(protocolError)),
        Case(
            "6.10", "CONTINUATION of another stream",
            RawFrame.frame(.headers, stream: 1, [0x20]) + RawFrame.frame(.continuation, flags: 4, stream: 3),
            .connection(protocolError)),
        Case("5.5", "a frame of a type that nobody knows", RawFrame.frame(type: 0xBE, stream: 1, [1, 2, 3]), .none),
    ]

    static let fields: [Case] = [
        Case("8.2.1", "an upper-case name", with(("X-Name", "v")), .stream(protocolError)),
        Case("8.2.1", "a name with a space", with(("x name", "v")), .stream(protocolError)),
        Case("8.2.1", "an empty name", with(("", "v")), .stream(protocolError)),
        Case("8.2.1", "a value with a line feed", with(("x-name", "a\nb")), .stream(protocolError)),
        Case("8.2.1", "a value with a zero byte", with(("x-name", "a\0b")), .stream(protocolError)),
        Case("8.2.2", "connection", with(("connection", "close")), .stream(protocolError)),
        Case("8.2.2", "transfer-encoding", with(("transfer-encoding", "chunked")), .stream(protocolError)),
        Case("8.2.2", "te other than trailers", with(("te", "gzip")), .stream(protocolError)),
        Case("8.3", "a pseudo-field after a field", request(good + [(":path", "/a.B/D")]), .stream(protocolError)),
        Case("8.3", "a pseudo-field that nobody knows", request([(":color", "red")] + good), .stream(protocolError)),
        Case("8.3", "a pseudo-field of responses", request([(":status", "200")] + good), .stream(protocolError)),
        Case("8.3.1", "no :method", without(":method"), .stream(protocolError)),
        Case("8.3.1", "no :scheme", without(":scheme"), .stream(protocolError)),
        Case("8.3.1", "no :path", without(":path"), .stream(protocolError)),
        Case("8.3.1", "an empty :path", request(good.map { $0.0 == ":path" ? (":path", "") : $0 }), .stream(protocolError)),
        Case("8.3.1", "two of :method", request([(":method", "POST")] + good), .stream(protocolError)),
        Case(
            "8.1.1", "less data than content-length",
            with(("content-length", "9")) + RawFrame.frame(.data, flags: 1, stream: 1, [1]), .stream(protocolError)),
        Case(
            "8.1.1", "more data than content-length", with(("content-length", "1")) + RawFrame.frame(.data, stream: 1, [1, 2]),
            .stream(protocolError)),
        Case("8.1.1", "a content-length that is no number", with(("content-length", "-1")), .stream(protocolError)),
        Case("8.1", "trailers without the end", open + RawFrame.headers(1, [("x-name", "v")]), .stream(protocolError)),
        Case(
            "8.1", "pseudo-fields in trailers", open + RawFrame.headers(1, [(":path", "/")], endStream: true),
            .stream(protocolError)),
    ]

    @Test(arguments: frames + fields) func endsCleanly(violation: Case) {
        let session = ServerSession(settings: SessionSettings())
        let answers = exchange(session, RawFrame.preface) + exchange(session, violation.bytes)
        #expect(answer(in: answers) == violation.answer, "\(answers)")
        // A connection that lives serves the next request; one that does not is ready to be closed.
        guard case .connection = violation.answer else {
            #expect(session.failure == nil)
            let events = receive(session, RawFrame.headers(7, Self.good))
            #expect(events.contains { if case .request(7, _, _) = $0 { true } else { false } })
            return
        }
        #expect(session.failure != nil)
        #expect(session.isFinished)
    }

    private func receive(_ session: ServerSession, _ bytes: [UInt8]) -> [SessionEvent] {
        bytes.withUnsafeBytes { session.receive($0, at: .now) }
        return session.takeEvents()
    }

    private func exchange(_ session: ServerSession, _ bytes: [UInt8]) -> [RawFrame] {
        _ = receive(session, bytes)
        session.fillOutput()
        let output = session.output.withVectors(maximum: 100) { $0.flatMap { Array($0) } }
        session.wrote(output.count)
        return RawFrame.read(output)
    }

    private func answer(in frames: [RawFrame]) -> Answer {
        for frame in frames {
            guard let code = frame.errorCode, code != 0 else { continue }
            return frame.kind == RawFrame.Kind.goAway.rawValue ? .connection(code) : .stream(code)
        }
        return .none
    }
}
