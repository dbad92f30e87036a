/// What the API server puts around each object in `application/vnd.kubernetes.protobuf`: four bytes of magic, then a
/// `runtime.Unknown` (Kubernetes documentation, API Concepts, Protobuf encoding).
struct ProtobufEnvelope {
    static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    /// The object's kind, such as `Pod` or `Status`.
    private(set) var kind = ""
    /// The object's own message.
    private(set) var object: ArraySlice<UInt8> = []

    /// Opens the envelope; nil when `bytes` are none.
    init?(_ bytes: some Sequence<UInt8>) {
        let bytes = ArraySlice(bytes)
        guard bytes.starts(with: ProtobufEnvelope.magic) else { return nil }
        var reader = ProtobufReader(bytes.dropFirst(ProtobufEnvelope.magic.count))
        while let field = reader.next() {
            switch field.number {
            case 1:
                var type = ProtobufReader(field.bytes)
                while let part = type.next() { if part.number == 2 { kind = part.text } }
            case 2: object = field.bytes
            default: break
            }
        }
        if reader.isMalformed { return nil }
    }
}

extension APIStatus {
    /// Reads the message `Status` of `meta/v1`; what is malformed in it is absent.
    init(protobuf message: ArraySlice<UInt8>) {
        self.init(code: 0)
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 3: self.message = field.text
            case 4: reason = field.text
            case 5: readDetails(field.bytes)
            case 6: code = Int(truncatingIfNeeded: field.signed)
            default: break
            }
        }
    }

    private mutating func readDetails(_ message: ArraySlice<UInt8>) {
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 4: causes.append(APIStatus.cause(field.bytes))
            case 5: retryAfterSeconds = field.signed > 0 ? Int(truncatingIfNeeded: field.signed) : nil
            default: break
            }
        }
    }

    private static func cause(_ message: ArraySlice<UInt8>) -> Cause {
        var cause = Cause(reason: "")
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 1: cause.reason = field.text
            case 2: cause.message = field.text
            case 3: cause.field = field.text
            default: break
            }
        }
        return cause
    }
}
