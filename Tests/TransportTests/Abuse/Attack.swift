import RPCTestClient
import Testing

/// A way to abuse the port with raw frames: what is sent first on each connection, and then over and over.
struct Attack: CustomTestStringConvertible, Sendable {
    let name: String
    let begin: [UInt8]
    /// The bytes of a round, by its number.
    let round: @Sendable (_ number: Int) -> [UInt8]
    /// The codes of GOAWAY that may end it: ENHANCE_YOUR_CALM, or PROTOCOL_ERROR where the streams are too many before the resets are.
    var codes: Set<UInt32> = [11]
    /// Whether it reads what comes back.
    var reads = true

    var testDescription: String { name }

    /// A stream of which there may be so many in a round.
    private static func stream(_ number: Int, _ index: Int, of count: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: 2 * (number * count + index) + 3) & 0x7FFF_FFFF
    }

    private static func repeated(_ frame: [UInt8], _ count: Int = 500) -> [UInt8] {
        Array(repeatElement(frame, count: count).joined())
    }

    /// A round that opens streams and does something to each.
    private static func streams(
        _ path: String = "/test/Echo", _ then: @escaping @Sendable (UInt32) -> [UInt8]
    ) -> @Sendable (Int) -> [UInt8] {
        { number in
            (0..<50).flatMap { index -> [UInt8] in
                let stream = stream(number, index, of: 50)
                return RawFrame.headers(stream, RawFrame.request(path)) + then(stream)
            }
        }
    }

    /// A request with `accept-encoding` of the static table over and over: 60 bytes of the list for one of the frame.
    private static func bomb(_ number: Int, fields count: Int, host: Bool = false) -> [UInt8] {
        RawFrame.frame(
            .headers, flags: RawFrame.endHeaders, stream: stream(number, 0, of: 1),
            RawFrame.block(host ? [(":authority", "test")] : []) + [0x83, 0x86, 0x84] + Array(repeating: 0x90, count: count))
    }

    private static let open = RawFrame.preface + RawFrame.headers(1, RawFrame.request("/test/Echo"))
    private static let ping = RawFrame.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])

    static let all: [Attack] = [
        Attack(name: "rapid reset (CVE-2023-44487)", begin: RawFrame.preface, round: streams { RawFrame.reset($0) }),
        Attack(
            name: "resets provoked by a window over 2^31-1 (CVE-2025-8671)", begin: RawFrame.preface,
            round: streams { RawFrame.windowUpdate(0x7FFF_FFFF, stream: $0) }, codes: [1, 11]),
        Attack(
            name: "resets provoked by an increment of 0 (CVE-2025-8671)", begin: RawFrame.preface,
            round: streams { RawFrame.windowUpdate(0, stream: $0) }, codes: [1, 11]),
        Attack(
            name: "resets provoked by a content-length (CVE-2025-8671)", begin: RawFrame.preface,
            round: { number in
                (0..<50).flatMap { index -> [UInt8] in
                    let stream = stream(number, index, of: 50)
                    return RawFrame.headers(stream, RawFrame.request("/test/Echo") + [("content-length", "1")])
                        + RawFrame.frame(.data, flags: 1, stream: stream, Array(repeating: 0, count: 20))
                }
            }, codes: [1, 11]),
        Attack(
            name: "requests that are refused at once", begin: RawFrame.preface, round: streams("/test/Nothing") { _ in [] },
            codes: [1, 11]),
        Attack(
            name: "headers that belong to no stream", begin: open + RawFrame.reset(1),
            round: { _ in repeated(RawFrame.headers(1, [("x", "y")])) }),
        Attack(
            name: "CONTINUATION (CVE-2024-28182)", begin: RawFrame.preface + RawFrame.frame(.headers, stream: 1, [0x20]),
            round: { _ in repeated(RawFrame.frame(.continuation, stream: 1, Array(repeating: 0x83, count: 100))) }),
        Attack(
            name: "empty CONTINUATION (CVE-2024-28182)", begin: RawFrame.preface + RawFrame.frame(.headers, stream: 1, [0x20]),
            round: { _ in repeated(RawFrame.frame(.continuation, stream: 1)) }),
        Attack(name: "PING (CVE-2019-9512)", begin: open, round: { _ in repeated(ping) }),
        Attack(
            name: "PING of a client that does not read (CVE-2019-9512)", begin: open, round: { _ in repeated(ping) }, reads: false
        ),
        Attack(
            name: "PRIORITY (CVE-2019-9513)", begin: open,
            round: { _ in repeated(RawFrame.frame(.priority, stream: 1, [0, 0, 0, 0, 9])) }),
        Attack(name: "SETTINGS (CVE-2019-9515)", begin: open, round: { _ in repeated(RawFrame.settings([(4, 65_535)])) }),
        Attack(
            name: "SETTINGS of a client that does not read (CVE-2019-9515)", begin: open,
            round: { _ in repeated(RawFrame.settings()) }, reads: false),
        Attack(name: "empty DATA (CVE-2019-9518)", begin: open, round: { _ in repeated(RawFrame.frame(.data, stream: 1)) }),
        Attack(name: "DATA of one byte", begin: open, round: { _ in repeated(RawFrame.frame(.data, stream: 1, [0])) }),
        Attack(
            name: "padding without data", begin: open,
            round: { _ in repeated(RawFrame.frame(.data, flags: RawFrame.padded, stream: 1, [9] + Array(repeating: 0, count: 9)))
            }),
        Attack(name: "WINDOW_UPDATE (CVE-2019-9511)", begin: open, round: { _ in repeated(RawFrame.windowUpdate(1)) }),
        Attack(name: "frames of unknown types", begin: open, round: { _ in repeated(RawFrame.frame(type: 0xBE)) }),
        Attack(
            name: "many empty messages", begin: open,
            round: { _ in repeated(RawFrame.frame(.data, stream: 1, repeated([0, 0, 0, 0, 0], 3000)), 4) }),
        Attack(
            name: "header lists that grow in the decoder (HPACK bomb, CVE-2016-6581)", begin: RawFrame.preface,
            round: { bomb($0, fields: 16_000) }),
        Attack(
            name: "header lists that grow by a little less than ends a connection (CVE-2016-6581)", begin: RawFrame.preface,
            round: { bomb($0, fields: 4300, host: true) }),
        // nghttp2 resets the stream before it tells of it.
        Attack(
            name: "header lists that grow and want an authority (CVE-2016-6581)", begin: RawFrame.preface,
            round: { bomb($0, fields: 4300) }),
        Attack(name: "streams without end", begin: RawFrame.preface, round: streams { _ in [] }, codes: [1]),
    ]
}
