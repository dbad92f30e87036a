import Synchronization

/// One state of an object, encoded: tens of thousands of pods fit, and lists and watches copy bytes.
final class StoredObject: Sendable {
    /// `namespace/name`, or the name alone; the order of a list.
    let key: String
    let namespace: String
    let name: String
    let revision: UInt64
    let labels: [String: String]
    /// The values of the field selectors beyond name and namespace.
    let fields: [String: String]
    /// Its JSON without the opening brace, `kind` and `apiVersion`.
    let body: [UInt8]
    /// Its protobuf message once somebody has asked for it: made once for all, as API servers do.
    private let message = Mutex<[UInt8]?>(nil)

    init(_ object: JSONValue, revision: UInt64, selectable: [String]) {
        var members = object.members ?? [:]
        members["kind"] = nil
        members["apiVersion"] = nil
        var metadata = members["metadata"] ?? [:]
        metadata["resourceVersion"] = .string(String(revision))
        members["metadata"] = metadata
        self.revision = revision
        namespace = metadata["namespace"]?.text ?? ""
        name = metadata["name"]?.text ?? ""
        key = Self.key(namespace: namespace, name: name)
        labels = (metadata["labels"]?.members ?? [:]).compactMapValues(\.text)
        var fields: [String: String] = [:]
        for path in selectable { fields[path] = JSONPath.plain(path, in: .object(members))?.text ?? "" }
        self.fields = fields
        var body: [UInt8] = []
        // Metadata first, as in built-in types; the order of members has no meaning.
        JSONValue.write(["metadata": metadata], to: &body)
        members["metadata"] = nil
        if !members.isEmpty {
            body.append(UInt8(ascii: ","))
            JSONValue.write(members, to: &body)
        }
        body.append(UInt8(ascii: "}"))
        self.body = body
    }

    static func key(namespace: String, name: String) -> String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    /// The object as `type` serves it.
    func value(as type: ResourceType) -> JSONValue {
        var value = (try? JSONValue(parsing: [UInt8(ascii: "{")] + body)) ?? [:]
        value["kind"] = .string(type.kind)
        value["apiVersion"] = .string(type.apiVersion)
        return type.conversion == .events ? EventConversion.fromCore(value) : value
    }

    /// The object's protobuf message as `type` serves it.
    func message(as type: ResourceType) -> [UInt8] {
        guard type.conversion == .apiVersionOnly else { return ProtobufFrames.message(of: value(as: type), type) }
        return message.withLock { message in
            let bytes = message ?? ProtobufFrames.message(of: value(as: type), type)
            message = bytes
            return bytes
        }
    }

    /// Writes the object as `type` serves it.
    ///
    /// - Parameter withTypeMetadata: whether `kind` and `apiVersion` are wanted; items of a list of a built-in type lack them.
    func write(as type: ResourceType, withTypeMetadata: Bool = true, to bytes: inout [UInt8]) {
        if type.conversion == .events {
            var value = value(as: type)
            if !withTypeMetadata {
                value["kind"] = nil
                value["apiVersion"] = nil
            }
            value.write(to: &bytes)
            return
        }
        bytes.append(UInt8(ascii: "{"))
        if withTypeMetadata { bytes += type.typeMetadata }
        bytes += body
    }
}
