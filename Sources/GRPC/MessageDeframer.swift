/// Cuts a stream of bytes into messages (gRPC over HTTP/2, "Length-Prefixed-Message").
///
/// It holds at most one unfinished message and allocates only for bytes that have arrived, whatever length the prefix claims.
/// Between messages it holds no storage.
public struct MessageDeframer: Sendable {
    /// Why the bytes cannot be cut into messages; the stream is beyond repair after any of these.
    public enum Failure: Error, Hashable, Sendable {
        /// The compressed flag is set although no encoding was negotiated.
        case compressed
        /// The flag byte is neither 0 nor 1.
        case unknownFlag(UInt8)
        /// The prefix claims more bytes than the limit.
        case tooLarge(claimed: Int, limit: Int)
    }

    private let maximumMessageSize: Int
    private var prefixByteCount = 0
    private var length: UInt32 = 0
    private var message: [UInt8] = []

    /// Makes a deframer that refuses messages of more than `maximumMessageSize` bytes.
    public init(maximumMessageSize: Int) {
        self.maximumMessageSize = maximumMessageSize
    }

    /// Bytes held for an unfinished message.
    public var bufferedByteCount: Int { message.count }

    /// Whether the bytes so far end with a whole message.
    public var isAtBoundary: Bool { prefixByteCount == 0 }

    /// Consumes bytes up to the end of the next message and returns it, or consumes all and returns nil.
    public mutating func next(from bytes: inout ArraySlice<UInt8>) throws(Failure) -> [UInt8]? {
        while prefixByteCount < MessageFraming.prefixLength {
            guard let byte = bytes.popFirst() else { return nil }
            try receivePrefixByte(byte)
        }
        let missing = Int(length) - message.count
        guard bytes.count >= missing else {
            message.append(contentsOf: bytes)
            bytes.removeAll()
            return nil
        }
        var whole: [UInt8] = []
        swap(&whole, &message)
        whole.append(contentsOf: bytes.prefix(missing))
        bytes = bytes.dropFirst(missing)
        prefixByteCount = 0
        length = 0
        return whole
    }

    private mutating func receivePrefixByte(_ byte: UInt8) throws(Failure) {
        if prefixByteCount == 0 {
            switch byte {
            case 0: break
            case 1: throw .compressed
            default: throw .unknownFlag(byte)
            }
        } else {
            length = length << 8 | UInt32(byte)
        }
        prefixByteCount += 1
        if prefixByteCount == MessageFraming.prefixLength, Int(length) > maximumMessageSize {
            throw .tooLarge(claimed: Int(length), limit: maximumMessageSize)
        }
    }
}

extension MessageDeframer.Failure {
    /// The status that ends the RPC (gRPC over HTTP/2 and its compression document name the codes).
    public var status: Status {
        switch self {
        case .compressed:
            Status(.unimplemented, "the message is compressed and this server supports no compression; send it as identity")
        case .unknownFlag(let flag):
            Status(.internal, "the message prefix begins with \(flag) where only 0 is supported: the stream is not gRPC framed")
        case .tooLarge(let claimed, let limit):
            Status(.resourceExhausted, "the message has \(claimed) bytes and the limit of this server is \(limit)")
        }
    }
}
