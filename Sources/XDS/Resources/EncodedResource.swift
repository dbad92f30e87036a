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
        // Sizes first, so that the payload is copied once.
        let typeURL = type.typeURL
        let anySize =
            WireWriter.fieldSize(ofLength: typeURL.utf8.count, field: 1) + WireWriter.fieldSize(ofLength: payload.count, field: 2)
        let nameSize = WireWriter.fieldSize(ofLength: name.utf8.count, field: 3)
        let size =
            WireWriter.fieldSize(ofLength: Digest.textSize, field: 1) + WireWriter.fieldSize(ofLength: anySize, field: 2)
            + nameSize
        var field = WireWriter(capacity: WireWriter.fieldSize(ofLength: size, field: 2))
        field.header(field: 2, length: size)
        field.string(version.description, field: 1)
        field.header(field: 2, length: anySize)
        field.string(typeURL, field: 1)
        field.bytes(payload, field: 2)
        field.string(name, field: 3)
        deltaField = field.output
        let anyEnd = deltaField.count - nameSize
        anyRange = (anyEnd - anySize)..<anyEnd
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
