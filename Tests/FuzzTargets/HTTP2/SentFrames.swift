/// Takes apart what a server sends, which must be frames (RFC 9113 section 4.1).
struct SentFrames {
    private static let headerLength = 9
    /// What a frame may have before the peer allows more (RFC 9113 section 4.2); nghttp2 never sends longer ones.
    private static let maximumLength = 16_384

    private var header: [UInt8] = []
    private var missing = 0
    /// The content of DATA frames, by stream.
    private(set) var messageBytes: [Int32: [UInt8]] = [:]

    /// Whether the bytes so far end with a whole frame.
    var isAtBoundary: Bool { header.isEmpty }

    private var type: UInt8 { header[3] }
    private var streamID: Int32 { header[5...8].reduce(0) { $0 << 8 | Int32($1) } }

    mutating func take(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty || (header.count == Self.headerLength && missing == 0) {
            if header.count < Self.headerLength {
                header.append(rest.removeFirst())
                if header.count == Self.headerLength { begin() }
                continue
            }
            let part = rest.prefix(missing)
            if type == 0 { messageBytes[streamID, default: []] += part }
            missing -= part.count
            rest = rest.dropFirst(part.count)
            if missing == 0 { header = [] }
        }
    }

    private mutating func begin() {
        missing = header[..<3].reduce(0) { $0 << 8 | Int($1) }
        expect(missing <= Self.maximumLength, "a frame is too long")
        expect([0, 1, 3, 4, 6, 7, 8, 9].contains(type), "a server does not send such frames")
        // Streams that a server opens would be those of PUSH_PROMISE.
        expect(streamID == 0 || streamID % 2 == 1, "a frame is on a stream that no client opened")
    }
}
