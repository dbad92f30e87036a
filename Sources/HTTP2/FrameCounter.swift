import CNghttp2

/// Counts the frames of a peer as they arrive, by their headers alone (RFC 9113 section 4.1).
///
/// nghttp2 tells of the frames that it looks into. Those that it ignores (of unknown types, of streams that are gone) cost the server
/// time as well.
struct FrameCounter {
    /// What frames cost their sender.
    struct Counts {
        var requests = 0
        var resets = 0
        var controlFrames = 0
    }

    private static let prefaceLength = 24
    private static let headerLength = 9

    private let smallestDataFrame: Int
    private var skip = prefaceLength
    private var headerByteCount = 0
    private var length = 0
    private var type: UInt8 = 0

    /// - Parameter smallestDataFrame: DATA frames of fewer bytes count as control frames.
    init(smallestDataFrame: Int) {
        self.smallestDataFrame = smallestDataFrame
    }

    /// Counts the frames whose headers end in `bytes`.
    mutating func count(_ bytes: UnsafeRawBufferPointer) -> Counts {
        var counts = Counts()
        var position = 0
        while position < bytes.count {
            if skip > 0 {
                let part = min(skip, bytes.count - position)
                skip -= part
                position += part
                continue
            }
            take(bytes[position], &counts)
            position += 1
        }
        return counts
    }

    private mutating func take(_ byte: UInt8, _ counts: inout Counts) {
        if headerByteCount < 3 { length = length << 8 | Int(byte) }
        if headerByteCount == 3 { type = byte }
        headerByteCount += 1
        guard headerByteCount == Self.headerLength else { return }
        switch UInt32(type) {
        case NGHTTP2_DATA.rawValue where length >= smallestDataFrame: break
        case NGHTTP2_HEADERS.rawValue: counts.requests += 1
        case NGHTTP2_RST_STREAM.rawValue: counts.resets += 1
        default: counts.controlFrames += 1
        }
        skip = length
        (headerByteCount, length) = (0, 0)
    }
}
