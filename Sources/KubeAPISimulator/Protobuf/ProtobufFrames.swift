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

    static func object(_ value: JSONValue, _ type: ResourceType) -> [UInt8] {
        envelope(type.apiVersion, type.kind) { $0.pod(value) }
    }

    static func list(_ values: some Sequence<JSONValue>, _ metadata: JSONValue, _ type: ResourceType) -> [UInt8] {
        envelope(type.apiVersion, type.listKind) { writer in
            writer.message(1) { $0.listMeta(metadata) }
            for value in values { writer.message(2) { $0.pod(value) } }
        }
    }

    /// A frame of a watch: a length of four bytes, big endian, and a `metav1.WatchEvent` in an envelope of its own.
    static func event(_ kind: String, _ value: JSONValue, _ type: ResourceType) -> [UInt8] {
        frame(kind, object(value, type))
    }

    static func error(_ error: StatusError) -> [UInt8] {
        frame(
            "ERROR",
            envelope("v1", "Status") { writer in
                writer.message(1) { _ in }
                writer.text(2, "Failure")
                writer.text(3, .string(error.message))
                writer.text(4, .string(error.reason))
                writer.integer(6, .integer(Int64(error.code)))
            })
    }

    private static func frame(_ kind: String, _ object: [UInt8]) -> [UInt8] {
        var event = ProtobufWriter()
        event.text(1, .string(kind))
        // runtime.RawExtension
        event.message(2) { $0.bytes(1, object) }
        let body = event.bytes
        return withUnsafeBytes(of: UInt32(body.count).bigEndian) { Array($0) } + body
    }
}
