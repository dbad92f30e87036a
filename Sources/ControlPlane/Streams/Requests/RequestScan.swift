/// A look at the wire form of a discovery request before it is decoded.
///
/// A field takes two bytes on the wire and some hundred once it is a name in a dictionary: 32 MiB of them would hold up all streams of the
/// loop for seconds. So the fields are counted first, which stops at the limit.
struct RequestScan {
    /// Why a request is not decoded.
    enum Fault: Error, Hashable {
        /// It is no message of protobuf.
        case malformed
        /// It has more names than the limit, or more of anything else than any client sends.
        case tooLarge
    }

    /// Bytes of the node: Envoy's, with all its extensions, is some 60 KB.
    static let nodeLimit = 1 << 20
    /// Fields that are no names.
    static let fieldLimit = 20_000

    /// The fields that hold a node, and those that hold names.
    struct Form {
        let node: UInt64
        let names: ClosedRange<UInt64>

        static let delta = Form(node: 1, names: 3...5)
        static let stateOfTheWorld = Form(node: 2, names: 3...3)
    }

    /// Names found: subscribed to, given up, brought along.
    private(set) var nameCount = 0
    private var nodeByteCount = 0
    private var fieldCount = 0
    private let nameLimit: Int

    init(_ message: [UInt8], _ form: Form, nameLimit: Int) throws(Fault) {
        self.nameLimit = nameLimit
        var reader = FieldReader(message[...])
        while let field = try reader.next() {
            switch field.number {
            case form.names:
                nameCount += 1
                guard nameCount <= nameLimit else { throw .tooLarge }
                // What a name of `initial_resource_versions` consists of; other names have no fields.
                if form.names.count > 1, field.number == form.names.upperBound { try countFields(field.content) }
            case form.node:
                nodeByteCount += field.content.count
                guard nodeByteCount <= Self.nodeLimit else { throw .tooLarge }
            default: try countFields(field.content, of: field.number)
            }
        }
    }

    /// The key and the version are two fields; more of them replace each other.
    private mutating func countFields(_ bytes: ArraySlice<UInt8>) throws(Fault) {
        var reader = FieldReader(bytes)
        var own = 0
        while try reader.next() != nil {
            own += 1
            if own > 2 { try count() }
        }
    }

    /// Texts have no fields, but a text is never long; a rejection's message is one field of a message.
    private mutating func countFields(_ bytes: ArraySlice<UInt8>, of number: UInt64) throws(Fault) {
        try count()
        guard bytes.count > Self.fieldLimit else { return }
        var reader = FieldReader(bytes)
        while try reader.next() != nil { try count() }
    }

    private mutating func count() throws(Fault) {
        fieldCount += 1
        guard fieldCount <= Self.fieldLimit else { throw .tooLarge }
    }
}

/// Takes a message of protobuf apart into fields, without looking into them (protobuf encoding, "Message Structure").
private struct FieldReader {
    struct Field {
        let number: UInt64
        /// The bytes of a length-delimited field; empty for others.
        let content: ArraySlice<UInt8>
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() throws(RequestScan.Fault) -> Field? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        var content: ArraySlice<UInt8> = []
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: try skip(8)
        case 5: try skip(4)
        case 2:
            guard let length = Int(exactly: try varint()), length <= rest.count else { throw .malformed }
            content = rest.prefix(length)
            rest = rest.dropFirst(length)
        default: throw .malformed  // groups, which no version of the protocol ever had
        }
        return Field(number: tag >> 3, content: content)
    }

    private mutating func skip(_ count: Int) throws(RequestScan.Fault) {
        guard rest.count >= count else { throw .malformed }
        rest = rest.dropFirst(count)
    }

    private mutating func varint() throws(RequestScan.Fault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw .malformed }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed
    }
}
