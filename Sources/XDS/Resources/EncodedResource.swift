/// A resource of one type, encoded once; every snapshot and response shares this one object.
public final class EncodedResource: Sendable, Hashable {
    /// The resource's type.
    public let type: ResourceType
    /// The resource's name: listener name, cluster name, or for endpoints the name of their cluster.
    public let name: String
    /// Digest of the resource's own encoding; its `version` on the wire is this digest's text.
    public let version: Digest
    /// The resource as one `resources` field of a delta response: tag, length, and the `Resource` message.
    public let deltaField: [UInt8]
    /// Where in `deltaField` the bytes of the `google.protobuf.Any` stand.
    let anyRange: Range<Int>

    /// Wraps the encoding of a resource message.
    /// - Parameter payload: the message's bytes, encoded deterministically.
    public init(type: ResourceType, name: String, payload: [UInt8]) {
        self.type = type
        self.name = name
        version = Digest(of: payload)
        var any = WireWriter()
        any.string(type.typeURL, field: 1)
        any.bytes(payload, field: 2)
        var resource = WireWriter()
        resource.string(version.description, field: 1)
        resource.bytes(any.output, field: 2)
        resource.string(name, field: 3)
        var field = WireWriter()
        field.bytes(resource.output, field: 2)
        deltaField = field.output
        let anyEnd = deltaField.count - WireWriter.fieldSize(ofLength: name.utf8.count, field: 3)
        anyRange = (anyEnd - any.output.count)..<anyEnd
    }

    public static func == (left: EncodedResource, right: EncodedResource) -> Bool {
        left.type == right.type && left.name == right.name && left.version == right.version
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(name)
        hasher.combine(version)
    }
}
