import Glibc
import XDS

/// What an acknowledgement says that says nothing else, read from its wire form: nearly every request is one, and to decode it would be
/// most of what it costs. Whatever is unusual about a request makes it none of these.
struct BareAnswer {
    /// The type of the response.
    let type: ResourceType
    /// The nonce of the response.
    let nonce: String
    /// The version that the client has now; state of the world only.
    let version: String
    /// Tells the list of all names from others; state of the world only. SipHash under a key of this process: nobody can aim at another
    /// list's mark, and whoever hit one would deceive but himself.
    let namesMark: Int?

    /// Bytes of a nonce of ours.
    private static let nonceLength = 8

    init?(_ message: [UInt8], _ form: RequestScan.Form) {
        let isDelta = form.node == RequestScan.Form.delta.node
        let fields = isDelta ? Fields.delta : Fields.stateOfTheWorld
        var type: ResourceType?
        var nonce: String?
        var version = ""
        var names: Range<Int>?
        let isBare = message.withUnsafeBytes { bytes in
            var reader = Reader(bytes: bytes)
            while let start = reader.begin() {
                guard let (number, content) = reader.field() else { return false }
                switch number {
                case fields.type:
                    type = reader.type(content)
                    if type == nil { return false }
                case fields.nonce:
                    guard content.count == Self.nonceLength, let text = reader.text(content) else { return false }
                    nonce = text
                case form.node:
                    guard content.count <= RequestScan.nodeLimit else { return false }
                case fields.version:
                    guard content.count <= 64, let text = reader.text(content) else { return false }
                    version = text
                case fields.names:
                    guard names == nil || names?.upperBound == start else { return false }
                    names = (names?.lowerBound ?? start)..<content.upperBound
                default: return false
                }
            }
            return true
        }
        guard isBare, let type, let nonce else { return nil }
        self.type = type
        self.nonce = nonce
        self.version = version
        namesMark = isDelta ? nil : Self.mark(of: message[names ?? 0..<0])
    }

    private static func mark(of names: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(names.count)
        names.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The numbers of the fields of an answer; 0 for those that the form does not have.
    private struct Fields {
        let version: UInt64
        let names: UInt64
        let type: UInt64
        let nonce: UInt64

        static let delta = Fields(version: 0, names: 0, type: 2, nonce: 6)
        static let stateOfTheWorld = Fields(version: 1, names: 3, type: 4, nonce: 5)
    }

    /// Takes length-delimited fields with small numbers apart; of others it knows nothing.
    private struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        /// Where the next field begins; nil at the end.
        func begin() -> Int? { position < bytes.count ? position : nil }

        /// The next field's number, and where its content lies; nil when it is of another kind or cut off.
        mutating func field() -> (number: UInt64, content: Range<Int>)? {
            let tag = bytes[position]
            guard tag & 0x87 == 2, tag >> 3 != 0 else { return nil }
            position += 1
            var (length, shift) = (0, 0)
            while position < bytes.count, shift < 28 {
                let byte = bytes[position]
                position += 1
                length |= Int(byte & 0x7F) << shift
                shift += 7
                guard byte < 0x80 else { continue }
                guard length <= bytes.count - position else { return nil }
                defer { position += length }
                return (UInt64(tag >> 3), position..<position + length)
            }
            return nil
        }

        /// The type whose URL this is.
        func type(_ content: Range<Int>) -> ResourceType? {
            for type in ResourceType.allCases {
                var url = type.typeURL
                guard url.utf8.count == content.count else { continue }
                let isEqual = url.withUTF8 { url in
                    guard let url = url.baseAddress, let start = bytes.baseAddress else { return false }
                    return memcmp(url, start + content.lowerBound, content.count) == 0
                }
                if isEqual { return type }
            }
            return nil
        }

        /// ASCII text; nil for any other.
        func text(_ content: Range<Int>) -> String? {
            var position = content.lowerBound
            while position < content.upperBound {
                guard bytes[position] < 0x80 else { return nil }
                position += 1
            }
            return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[content]), as: UTF8.self)
        }
    }
}
