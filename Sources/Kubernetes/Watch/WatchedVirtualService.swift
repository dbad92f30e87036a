public import Domain

/// A VirtualService as the API server has it: valid or not, and with its status.
public struct WatchedVirtualService: KeyedObject {
    /// Identity, version and status.
    public let observed: ObservedObject
    /// Name, age, generation and the like.
    public let metadata: ObjectMetadata
    /// The object's meaning; nil when it can't be served.
    public let service: VirtualService?
    /// What is wrong or questionable.
    public let diagnostics: [Diagnostic]

    /// Namespace and name.
    public var key: ObjectKey { metadata.key }

    /// Reads an object; nil when not even its metadata can be read.
    public init?(_ value: FieldValue, defaultNamespace: String) {
        self.init(VirtualServiceDecoder(defaultNamespace: defaultNamespace).decode(value), status: value["status"])
    }

    /// Makes one of what a decoder made of an object, and its `status` as it came.
    init?(_ decoded: DecodedObject<VirtualService>, status: FieldValue?) {
        guard let metadata = decoded.metadata else { return nil }
        self.metadata = metadata
        observed = ObservedObject(metadata: metadata, status: status)
        diagnostics = decoded.diagnostics
        guard var service = decoded.object else {
            self.service = nil
            return
        }
        // A status that is written comes back with another version; what is served does not depend on it.
        service.metadata.resourceVersion = ""
        self.service = service
    }
}
