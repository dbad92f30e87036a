/// A `DiscoveryResponse` or `DeltaDiscoveryResponse` where it lies: what of it counts is found, nothing is decoded or copied.
public struct DiscoveryResponse {
    /// One resource of a response.
    public struct Resource {
        /// Its name.
        public var name = UnsafeRawBufferPointer(start: nil, count: 0)
        /// Its version; empty in the state-of-the-world form.
        public var version = UnsafeRawBufferPointer(start: nil, count: 0)
        /// Its encoded message.
        public var body = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// The whole message.
    public let bytes: UnsafeRawBufferPointer
    /// The type of its resources; nil for one that nobody asked for.
    public private(set) var kind: ResourceKind?
    /// The nonce.
    public private(set) var nonce = nothing
    /// The version of all; what it means to a delta client is the server's affair.
    public private(set) var version = nothing
    /// How many resources it has, removals not counted.
    public private(set) var resourceCount = 0
    private let form: DiscoveryForm

    /// Reads `bytes`, which must outlive the response; nil when they are no message.
    public init?(_ bytes: UnsafeRawBufferPointer, _ form: DiscoveryForm) {
        self.bytes = bytes
        self.form = form
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            guard case .bytes(let content) = value else { continue }
            switch field {
            case 1: version = content
            case 2: resourceCount += 1
            case 4: kind = ResourceKind(url: content)
            case 5: nonce = content
            default: break
            }
        }
        if reader.isMalformed { return nil }
    }

    /// Calls `body` with each resource.
    public func forEachResource(_ body: (Resource) -> Void) {
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            guard field == 2, case .bytes(let content) = value else { continue }
            body(form == .delta ? Self.deltaResource(content) : Self.worldResource(content))
        }
    }

    /// Calls `body` with the name of each resource that is gone; only the delta form says so.
    public func forEachRemoved(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard form == .delta else { return }
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            if field == 6, case .bytes(let name) = value { body(name) }
        }
    }

    private static func deltaResource(_ bytes: UnsafeRawBufferPointer) -> Resource {
        var resource = Resource()
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            guard case .bytes(let content) = value else { continue }
            switch field {
            case 1: resource.version = content
            case 2: resource.body = self.content(ofAny: content)
            case 3: resource.name = content
            default: break
            }
        }
        return resource
    }

    /// Clusters, assignments and listeners alike have their name in field 1.
    private static func worldResource(_ bytes: UnsafeRawBufferPointer) -> Resource {
        var resource = Resource()
        resource.body = content(ofAny: bytes)
        var reader = WireReader(resource.body)
        while let (field, value) = reader.next() {
            guard field == 1, case .bytes(let name) = value else { continue }
            resource.name = name
            break
        }
        return resource
    }

    private static func content(ofAny bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            if field == 2, case .bytes(let content) = value { return content }
        }
        return nothing
    }

    /// The name under which a cluster asks for its endpoints; nil when it does not.
    static func endpointName(ofCluster bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var (name, service) = (nothing, nothing)
        var isByDiscovery = false
        var reader = WireReader(bytes)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let content)): name = content
            case (2, .number(let type)): isByDiscovery = type == 3  // EDS
            case (3, .bytes(let configuration)):
                var reader = WireReader(configuration)
                while let (field, value) = reader.next() {
                    if field == 2, case .bytes(let content) = value { service = content }
                }
            default: break
            }
        }
        guard isByDiscovery else { return nil }
        return service.isEmpty ? name : service
    }
}
