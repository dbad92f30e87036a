public import Domain

/// One page of a list.
public struct ListPage<Object: Sendable>: Sendable {
    /// What each object's decoder made of it, in the order of the list.
    public var items: [DecodedObject<Object>] = []
    /// The list's own resourceVersion; empty when it has none.
    public var version = ""
    /// Where the next page begins; empty on the last one.
    public var continueToken = ""
}

/// One event of a watch.
public struct WatchFrame<Object: Sendable>: Sendable {
    /// What it means for the state of the watch.
    public var notice: WatchStateMachine.Notice
    /// The object that was applied or deleted; of a deleted one only the metadata is to be relied upon.
    public var object: DecodedObject<Object>?
}

/// What came is neither JSON nor protobuf of the expected form.
public struct UnreadableBody: Error, CustomStringConvertible {
    /// What is wrong, one sentence without a final stop.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A kind of object as the API server serves it: where it is, in which form it is asked for, and how it is read.
public struct WatchedKind<Object: KeyedObject>: Sendable {
    /// The plural by which the API and its access rules name the kind, such as `pods`.
    public let resource: String
    /// The API group; empty for the core group.
    public let group: String
    /// The `Accept` field of requests for it.
    public let accept: String
    private let root: String
    private let decodeJSON: @Sendable (_ value: FieldValue, _ namespace: String) -> DecodedObject<Object>
    /// Reads an object whose spec is apart, with what is known of earlier forms; nil for kinds of which nothing is kept.
    private var decodeApart:
        (
            @Sendable (_ value: FieldValue, _ spec: ArraySlice<UInt8>, _ namespace: String, inout SpecMemory) throws ->
                DecodedObject<Object>
        )?
    /// Nil for custom resources, which are served in JSON only.
    private let decodeProtobuf: (@Sendable (_ message: ArraySlice<UInt8>) -> DecodedObject<Object>)?

    /// The path of all objects, or of those of one namespace.
    public func path(namespace: String?) -> String {
        namespace.map { "\(root)/namespaces/\($0)/\(resource)" } ?? "\(root)/\(resource)"
    }

    /// The resource with its group, as people write it: `virtualservices.servicemesh.l7mp.io`.
    public var qualifiedName: String { group.isEmpty ? resource : "\(resource).\(group)" }
}

extension WatchedKind<WatchedVirtualService> {
    /// VirtualServices with their status, valid or not, in JSON.
    public static var watchedVirtualServices: WatchedKind {
        var kind = WatchedKind(
            resource: "virtualservices", group: ObjectKind.group, accept: "application/json",
            root: "/apis/\(ObjectKind.virtualService.apiVersion)",
            decodeJSON: { decoded(WatchedVirtualService($0, defaultNamespace: $1)) }, decodeProtobuf: nil)
        kind.decodeApart = { value, spec, namespace, memory in
            let decoder = VirtualServiceDecoder(defaultNamespace: namespace)
            let key = decoder.key(of: value)
            if value["spec"] != nil, let known = key.flatMap({ memory.spec(of: $0, spec) }),
                let service = decoder.decode(value, with: known)
            {
                let whole = DecodedObject(metadata: service.metadata, object: service, diagnostics: [])
                return decoded(WatchedVirtualService(whole, status: value["status"]))
            }
            let whole = decoder.decode(
                value.replacing("spec", with: try JSONParser.parse(Array(spec), omitting: "managedFields")))
            if let key {
                if let service = whole.object, whole.diagnostics.isEmpty {
                    memory.set(VirtualServiceSpec(selector: service.selector, listeners: service.listeners), of: key, spec)
                } else {
                    memory.forget(key)
                }
            }
            return decoded(WatchedVirtualService(whole, status: value["status"]))
        }
        return kind
    }

    private static func decoded(_ object: WatchedVirtualService?) -> DecodedObject<WatchedVirtualService> {
        DecodedObject(metadata: object?.metadata, object: object, diagnostics: [])
    }
}

extension WatchedKind<VirtualService> {
    /// VirtualServices, in JSON.
    public static var virtualServices: WatchedKind {
        WatchedKind(
            resource: "virtualservices", group: ObjectKind.group, accept: "application/json",
            root: "/apis/\(ObjectKind.virtualService.apiVersion)",
            decodeJSON: { VirtualServiceDecoder(defaultNamespace: $1).decode($0) }, decodeProtobuf: nil)
    }
}

extension WatchedKind<Pod> {
    /// Pods, in protobuf where the server has it.
    public static var pods: WatchedKind {
        WatchedKind(
            resource: "pods", group: "", accept: "application/vnd.kubernetes.protobuf, application/json;q=0.9",
            root: "/api/v1", decodeJSON: { PodDecoder(defaultNamespace: $1).decode($0) },
            decodeProtobuf: { PodMessageDecoder.decode($0) })
    }
}

// MARK: - Reading

extension WatchedKind {
    /// How the body of a watch with this content type is divided.
    public static func framing(contentType: String?) -> WatchFraming {
        contentType?.hasPrefix("application/vnd.kubernetes.protobuf") == true ? .lengths : .lines
    }

    /// Reads a page, in the form that it has. `namespace` is that of objects that name none.
    public func page(_ body: [UInt8], namespace: String?) throws -> ListPage<Object> {
        if body.starts(with: ProtobufEnvelope.magic) { return try protobufPage(body) }
        let value = try JSONParser.parse(body, omitting: "managedFields")
        guard let items = value["items"] else { throw UnreadableBody("the answer is no list: it has no items") }
        return ListPage(
            items: (items.elements ?? []).map { decodeJSON($0, namespace ?? "default") },
            version: value["metadata"]?["resourceVersion"]?.text ?? "", continueToken: value["metadata"]?["continue"]?.text ?? "")
    }

    /// Reads an event, in the form that `framing` tells.
    public func frame(_ bytes: [UInt8], framing: WatchFraming, namespace: String?) throws -> WatchFrame<Object> {
        var memory = SpecMemory()
        return try frame(bytes, framing: framing, namespace: namespace, memory: &memory)
    }

    /// The same, with the specs that the events of the watch have brought so far.
    public func frame(
        _ bytes: [UInt8], framing: WatchFraming, namespace: String?, memory: inout SpecMemory
    ) throws -> WatchFrame<Object> {
        switch framing {
        case .lines: try frame(json: bytes, namespace: namespace, &memory)
        case .lengths: try frame(protobuf: bytes)
        }
    }

    private func frame(
        json bytes: [UInt8], namespace: String?, _ memory: inout SpecMemory
    ) throws -> WatchFrame<Object> {
        var spec: ArraySlice<UInt8>?
        let value: FieldValue
        if decodeApart != nil {
            (value, spec) = try JSONParser.parse(bytes, omitting: "managedFields", deferring: "spec")
        } else {
            value = try JSONParser.parse(bytes, omitting: "managedFields")
        }
        guard let type = value["type"]?.text else { throw UnreadableBody("an event has no type") }
        let object = value["object"] ?? FieldValue(.null)
        func version() -> String { object["metadata"]?["resourceVersion"]?.text ?? "" }
        switch type {
        case "ADDED", "MODIFIED":
            let decoded =
                if let decodeApart, let spec {
                    try decodeApart(object, spec, namespace ?? "default", &memory)
                } else if decodeApart != nil {
                    // No spec, or several: whatever is to be said of that.
                    decodeJSON(try JSONParser.parse(bytes, omitting: "managedFields")["object"] ?? object, namespace ?? "default")
                } else {
                    decodeJSON(object, namespace ?? "default")
                }
            return WatchFrame(notice: .applied(version: version()), object: decoded)
        case "DELETED":
            // Only its name counts.
            let decoded = decodeJSON(object, namespace ?? "default")
            if let key = decoded.metadata?.key { memory.forget(key) }
            return WatchFrame(notice: .deleted(version: version()), object: decoded)
        case "BOOKMARK":
            let end = object["metadata"]?["annotations"]?[BookmarkAnnotation.name]?.text
            return WatchFrame(notice: .bookmark(version: version(), endsInitialEvents: end == "true"))
        case "ERROR":
            return WatchFrame(notice: .error(APIStatus(object) ?? APIStatus(code: 0, message: "an error without a status")))
        default: return WatchFrame(notice: .unknown)
        }
    }

    // MARK: - Protobuf

    private func protobufPage(_ body: [UInt8]) throws -> ListPage<Object> {
        guard let decodeProtobuf else { throw UnreadableBody("\(resource) came in protobuf, which was not asked for") }
        guard let envelope = ProtobufEnvelope(body), envelope.kind.hasSuffix("List") else {
            throw UnreadableBody("the answer is no list in protobuf")
        }
        var page = ListPage<Object>()
        var reader = ProtobufReader(envelope.object)
        while let field = reader.next() {
            switch field.number {
            case 1:
                var metadata = ProtobufReader(field.bytes)
                while let part = metadata.next() {
                    switch part.number {
                    case 2: page.version = part.text
                    case 3: page.continueToken = part.text
                    default: break
                    }
                }
            case 2: page.items.append(decodeProtobuf(field.bytes))
            default: break
            }
        }
        guard !reader.isMalformed else { throw UnreadableBody("the list breaks off") }
        return page
    }

    /// A `WatchEvent` of `meta/v1`, whose object is a `RawExtension` holding an envelope.
    private func frame(protobuf bytes: [UInt8]) throws -> WatchFrame<Object> {
        guard let decodeProtobuf else { throw UnreadableBody("\(resource) came in protobuf, which was not asked for") }
        var type = ""
        var raw: ArraySlice<UInt8> = []
        var reader = ProtobufReader(ArraySlice(bytes))
        while let field = reader.next() {
            switch field.number {
            case 1: type = field.text
            case 2:
                var content = ProtobufReader(field.bytes)
                while let part = content.next() { if part.number == 1 { raw = part.bytes } }
            default: break
            }
        }
        guard !reader.isMalformed, let envelope = ProtobufEnvelope(raw) else { throw UnreadableBody("an event is no protobuf") }
        switch type {
        case "ADDED", "MODIFIED":
            let object = decodeProtobuf(envelope.object)
            return WatchFrame(notice: .applied(version: object.metadata?.resourceVersion ?? ""), object: object)
        case "DELETED":
            let object = decodeProtobuf(envelope.object)
            return WatchFrame(notice: .deleted(version: object.metadata?.resourceVersion ?? ""), object: object)
        case "BOOKMARK":
            let bookmark = BookmarkMessage(envelope.object)
            return WatchFrame(notice: .bookmark(version: bookmark.version, endsInitialEvents: bookmark.endsInitialEvents))
        case "ERROR": return WatchFrame(notice: .error(APIStatus(protobuf: envelope.object)))
        default: return WatchFrame(notice: .unknown)
        }
    }
}

/// The annotation on the bookmark that ends the initial events of a streaming list.
enum BookmarkAnnotation {
    static let name = "k8s.io/initial-events-end"
}
