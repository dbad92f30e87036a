public import Domain

/// Reads a `VirtualService` of `servicemesh.l7mp.io/v1`.
///
/// Whatever the schema of the custom resource definition refuses is an error here as well; what the schema can't say
/// (addresses, names without control characters) is only checked here.
public struct VirtualServiceDecoder: Sendable {
    private let defaultNamespace: String

    /// Makes a decoder; objects that name no namespace belong to `defaultNamespace`.
    public init(defaultNamespace: String = "default") {
        self.defaultNamespace = defaultNamespace
    }

    /// Reads the object `value`, which stands at `path` of its document.
    public func decode(_ value: FieldValue, at path: FieldPath = .root) -> DecodedObject<VirtualService> {
        var decoder = FieldDecoder()
        var result = DecodedObject<VirtualService>(metadata: nil, object: nil, diagnostics: [])
        if let root = decoder.object(Field(path: path, value: value, line: value.line), expected: "a VirtualService") {
            let metadata = MetadataDecoder(defaultNamespace: defaultNamespace).decode(root, with: &decoder)?.metadata
            decoder.warnOfUnknownMembers(of: root, known: Self.members)
            let spec = decoder.required("spec", of: root, expected: "a map with selector and listeners")
                .flatMap { Self.spec($0, with: &decoder) }
            result.metadata = metadata
            if let metadata, let spec, !decoder.hasErrors {
                result.object = VirtualService(metadata: metadata, selector: spec.selector, listeners: spec.listeners)
            }
        }
        result.diagnostics = decoder.diagnostics
        return result
    }

    /// The object `value` with the spec of an earlier form of it; nil when there is anything to remark on the rest.
    func decode(_ value: FieldValue, with spec: VirtualServiceSpec) -> VirtualService? {
        var decoder = FieldDecoder()
        guard let root = decoder.object(Field(path: .root, value: value, line: value.line), expected: "a VirtualService"),
            let metadata = MetadataDecoder(defaultNamespace: defaultNamespace).decode(root, with: &decoder)?.metadata
        else { return nil }
        decoder.warnOfUnknownMembers(of: root, known: Self.members)
        guard decoder.diagnostics.isEmpty else { return nil }
        return VirtualService(metadata: metadata, selector: spec.selector, listeners: spec.listeners)
    }

    /// Which object `value` is, where its name and namespace are plain texts.
    func key(of value: FieldValue) -> ObjectKey? {
        guard let metadata = value["metadata"], let name = metadata["name"]?.text else { return nil }
        let namespace = metadata["namespace"]?.text ?? ""
        return ObjectKey(namespace: namespace.isEmpty ? defaultNamespace : namespace, name: name)
    }

    private static let members = ["apiVersion", "kind", "metadata", "spec", "status"]

    private static func spec(
        _ field: Field, with decoder: inout FieldDecoder
    ) -> (selector: LabelSelector, listeners: [ListenerIntent])? {
        guard let spec = decoder.object(field, expected: "a map with selector and listeners") else { return nil }
        decoder.warnOfUnknownMembers(of: spec, known: ["selector", "listeners"])
        let selector = decoder.required("selector", of: spec, expected: "the labels of the pods whose Envoys get the listeners")
            .flatMap { SelectorDecoder.selector($0, with: &decoder) }
        let listeners = decoder.required("listeners", of: spec, expected: "a list of listeners")
            .flatMap { Self.listeners($0, with: &decoder) }
        guard let selector, let listeners else { return nil }
        return (selector, listeners)
    }

    private static func listeners(_ field: Field, with decoder: inout FieldDecoder) -> [ListenerIntent]? {
        guard let elements = decoder.array(field, expected: "a list of listeners") else { return nil }
        var listeners: [ListenerIntent] = []
        var places: [String: FieldPath] = [:]
        for element in elements {
            let decoded = ListenerDecoder.listener(element, with: &decoder)
            // A name is taken even where the rest of its listener is wrong.
            if let name = decoded.name {
                if let first = places[name.text] {
                    decoder.error(name.field, "is also the name of \(first): listeners of an object need different names")
                } else {
                    places[name.text] = element.path
                }
            }
            if let listener = decoded.listener { listeners.append(listener) }
        }
        return listeners
    }
}

/// Reads label selectors.
enum SelectorDecoder {
    /// A selector with at least one label.
    static func selector(_ field: Field, with decoder: inout FieldDecoder) -> LabelSelector? {
        guard let labels = decoder.labels(field) else { return nil }
        guard let selector = LabelSelector(labels: labels) else {
            decoder.error(field, "must have at least one label: an empty selector would select every pod")
            return nil
        }
        for pair in selector.pairs where !(isLabelKey(pair.key) && isLabelValue(pair.value)) {
            let place = Field(
                path: .key(field.path, pair.key), value: field.value, line: field.value.object?[pair.key]?.line ?? field.line)
            decoder.warning(place, "can't be a label of a pod, so nothing is selected")
        }
        return selector
    }

    /// `[prefix/]name`, as the API server accepts it (Kubernetes documentation, Labels and Selectors).
    private static func isLabelKey(_ key: String) -> Bool {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, !name.isEmpty, isLabelValue(String(name)), parts.count <= 2 else { return false }
        return parts.count == 1 || (!parts[0].isEmpty && parts[0].utf8.count <= 253)
    }

    /// At most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit; may be empty.
    private static func isLabelValue(_ value: String) -> Bool {
        let bytes = value.utf8
        guard let first = bytes.first, let last = bytes.last else { return true }
        return bytes.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
