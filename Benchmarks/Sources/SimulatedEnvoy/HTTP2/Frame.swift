/// The header of an HTTP/2 frame (RFC 9113 section 4.1).
struct FrameHeader {
    static let byteCount = 9

    let length: Int
    let type: UInt8
    let flags: UInt8
    let streamID: UInt32

    init(_ bytes: UnsafeRawBufferPointer) {
        length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
        type = bytes[3]
        flags = bytes[4]
        streamID = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)) & 0x7FFF_FFFF
    }
}

/// Frame types and flags (RFC 9113 section 6).
enum Frame {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8

    static let endStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// What a peer may send in one frame unless it is told otherwise.
    static let maximumPayload = 16_384
}

extension [UInt8] {
    mutating func appendFrameHeader(_ length: Int, _ type: UInt8, _ flags: UInt8 = 0, streamID: UInt32 = 0) {
        append(UInt8(truncatingIfNeeded: length >> 16))
        append(UInt8(truncatingIfNeeded: length >> 8))
        append(UInt8(truncatingIfNeeded: length))
        append(type)
        append(flags)
        appendBigEndian(streamID)
    }

    mutating func appendBigEndian(_ value: UInt32) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func appendSetting(_ identifier: UInt8, _ value: UInt32) {
        append(0)
        append(identifier)
        appendBigEndian(value)
    }
}
