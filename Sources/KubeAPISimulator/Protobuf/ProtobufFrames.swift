/// Objects in Kubernetes' protobuf envelope: a magic number and a `runtime.Unknown`.
enum ProtobufFrames {
    static let contentType = "application/vnd.kubernetes.protobuf"
    static let watchContentType = "application/vnd.kubernetes.protobuf;stream=watch"

    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    /// `runtime.Unknown` (k8s.io/apimachinery/pkg/runtime/generated.proto).
    private static func envelope(_ apiVersion: String, _ kind: String, _ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) {
            $0.text(1, .string(apiVersion))
            $0.text(2, .string(kind))
        }
        writer.message(2, body)
        writer.text(3, "")
        writer.text(4, "")
        return magic + writer.bytes
    }

    /// Whether there is a message for objects of `type`.
    static func serves(_ type: ResourceType) -> Bool { message(type) != nil }

    private static func message(_ type: ResourceType) -> ProtobufMessage? {
        ProtobufMessage.kinds["\(type.apiVersion)/\(type.kind)"]
    }

    static func object(_ value: JSONValue, _ type: ResourceType) -> [UInt8] {
        envelope(type.apiVersion, type.kind) { message(type)?.encode(value, to: &$0) }
    }

    /// The message of an object, without an envelope.
    static func message(of value: JSONValue, _ type: ResourceType) -> [UInt8] {
        var writer = ProtobufWriter()
        message(type)?.encode(value, to: &writer)
        return writer.bytes
    }

    static func list(_ messages: some Sequence<[UInt8]>, _ metadata: JSONValue, _ type: ResourceType) -> [UInt8] {
        envelope(type.apiVersion, type.listKind) { writer in
            writer.message(1) { ProtobufMessage.listMetadata.encode(metadata, to: &$0) }
            for message in messages { writer.bytes(2, message) }
        }
    }

    static func status(_ value: JSONValue) -> [UInt8] {
        envelope("v1", "Status") { ProtobufMessage.kinds["v1/Status"]?.encode(value, to: &$0) }
    }

    /// A frame of a watch: a length of four bytes, big endian, and a `metav1.WatchEvent` without an envelope around an object in one.
    static func event(_ kind: String, message: [UInt8], _ type: ResourceType) -> [UInt8] {
        frame(kind, envelope(type.apiVersion, type.kind) { $0.append(message) })
    }

    static func error(_ error: StatusError) -> [UInt8] { frame("ERROR", status(error.status)) }

    private static func frame(_ kind: String, _ object: [UInt8]) -> [UInt8] {
        var event = ProtobufWriter()
        event.text(1, .string(kind))
        // runtime.RawExtension
        event.message(2) { $0.bytes(1, object) }
        let body = event.bytes
        return withUnsafeBytes(of: UInt32(body.count).bigEndian) { Array($0) } + body
    }

    /// Reads an object in an envelope; nil when it is none, or of a kind without a message.
    static func decode(_ bytes: [UInt8]) -> JSONValue? {
        let unknown = ProtobufMessage([(1, "type", .message(ProtobufMessage([(1, "apiVersion", .text), (2, "kind", .text)])))])
        guard bytes.starts(with: magic), let type = try? unknown.decode(bytes.dropFirst(4))["type"],
            let apiVersion = type["apiVersion"]?.text, let kind = type["kind"]?.text
        else { return nil }
        // Delete options are also sent under the version of the resource's group.
        let message =
            ProtobufMessage.kinds["\(apiVersion)/\(kind)"] ?? (kind == "DeleteOptions" ? .kinds["v1/DeleteOptions"] : nil)
        var reader = ProtobufReader(bytes: bytes.dropFirst(4))
        while let (number, content) = try? reader.next() {
            guard number == 2, case .bytes(let raw) = content, var value = try? message?.decode(raw) else { continue }
            value["apiVersion"] = .string(apiVersion)
            value["kind"] = .string(kind)
            return value
        }
        return nil
    }
}
