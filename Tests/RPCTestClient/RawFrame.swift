/// Frames written byte by byte, right or wrong as the test likes (RFC 9113 section 4.1).
public struct RawFrame: Sendable {
    /// The type of a frame (RFC 9113 section 6).
    public enum Kind: UInt8, Sendable {
        case data = 0
        case headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    public static let endStream: UInt8 = 0x1
    public static let acknowledgement: UInt8 = 0x1
    public static let endHeaders: UInt8 = 0x4
    public static let padded: UInt8 = 0x8

    /// The client's connection preface, without its SETTINGS (RFC 9113 section 3.4).
    public static let magic = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The preface with SETTINGS that say nothing, and the acknowledgement of the server's.
    public static let preface = magic + settings() + frame(.settings, flags: acknowledgement)

    /// A frame whose header says `length`, by default that of its payload.
    public static func frame(
        _ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, length: Int? = nil, _ payload: [UInt8] = []
    ) -> [UInt8] {
        frame(type: kind.rawValue, flags: flags, stream: stream, length: length, payload)
    }

    /// A frame of any type.
    public static func frame(
        type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, length: Int? = nil, _ payload: [UInt8] = []
    ) -> [UInt8] {
        let length = length ?? payload.count
        return [
            UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ]
            + [type, flags] + bytes(stream) + payload
    }

    /// SETTINGS.
    public static func settings(_ pairs: [(id: UInt16, value: UInt32)] = []) -> [UInt8] {
        frame(
            .settings,
            pairs.flatMap { [UInt8(truncatingIfNeeded: $0.id >> 8), UInt8(truncatingIfNeeded: $0.id)] + bytes($0.value) })
    }

    /// WINDOW_UPDATE.
    public static func windowUpdate(_ increment: UInt32, stream: UInt32 = 0) -> [UInt8] {
        frame(.windowUpdate, stream: stream, bytes(increment))
    }

    /// RST_STREAM.
    public static func reset(_ stream: UInt32, code: UInt32 = 8) -> [UInt8] { frame(.resetStream, stream: stream, bytes(code)) }

    /// HEADERS of a whole section.
    public static func headers(
        _ stream: UInt32, _ fields: [(String, String)], endStream: Bool = false
    ) -> [UInt8] {
        frame(.headers, flags: endHeaders | (endStream ? Self.endStream : 0), stream: stream, block(fields))
    }

    /// DATA with one gRPC message.
    public static func message(_ stream: UInt32, _ message: [UInt8]) -> [UInt8] {
        frame(.data, stream: stream, [0] + bytes(UInt32(clamping: message.count)) + message)
    }

    /// A header section in literal fields, none of them indexed or Huffman coded (RFC 7541 section 6.2.2). It begins with the table size
    /// that the server's settings demand.
    public static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.reduce([0x20]) { $0 + [0x00] + string($1.0) + string($1.1) }
    }

    /// The fields of a gRPC request.
    public static func request(_ path: String) -> [(String, String)] {
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
    }

    /// Four bytes, the highest first.
    public static func bytes(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    /// A text with its length in seven bits and as many more as it takes (RFC 7541 section 5.1).
    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var (length, rest) = ([UInt8(127)], bytes.count - 127)
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    // MARK: - What came back

    /// The type.
    public let kind: UInt8
    /// The flags.
    public let flags: UInt8
    /// The stream.
    public let stream: UInt32
    /// What follows the header.
    public let payload: [UInt8]

    /// The whole frames in what a server sent.
    public static func read(_ input: [UInt8]) -> [RawFrame] {
        var (frames, rest): ([RawFrame], _) = ([], input[...])
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            guard rest.count >= 9 + length else { break }
            let stream = header[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            let payload = Array(rest.dropFirst(9).prefix(length))
            frames.append(RawFrame(kind: header[3], flags: header[4], stream: stream, payload: payload))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    /// The error code of a RST_STREAM or GOAWAY frame.
    public var errorCode: UInt32? {
        let offset: Int
        switch Kind(rawValue: kind) {
        case .resetStream: offset = 0
        case .goAway: offset = 4
        default: return nil
        }
        guard payload.count >= offset + 4 else { return nil }
        return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
