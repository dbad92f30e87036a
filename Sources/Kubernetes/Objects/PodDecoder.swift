public import Domain

/// Reads a `Pod` of `v1`: only the fields that the operator uses, and leniently, because a pod's parts appear one
/// after the other. What is absent or null counts as not there yet; what is there must be well-formed.
public struct PodDecoder: Sendable {
    private let defaultNamespace: String

    /// Makes a decoder; objects that name no namespace belong to `defaultNamespace`.
    public init(defaultNamespace: String = "default") {
        self.defaultNamespace = defaultNamespace
    }

    /// Reads the object `value`, which stands at `path` of its document.
    public func decode(_ value: FieldValue, at path: FieldPath = .root) -> DecodedObject<Pod> {
        var decoder = FieldDecoder()
        var result = DecodedObject<Pod>(metadata: nil, object: nil, diagnostics: [])
        if let root = decoder.object(Field(path: path, value: value, line: value.line), expected: "a Pod"),
            let (metadata, metadataField) = MetadataDecoder(defaultNamespace: defaultNamespace).decode(root, with: &decoder)
        {
            result.metadata = metadata
            if metadata.uid.isEmpty, !decoder.hasErrors {
                let place = Field(path: .member(metadataField.path, "uid"), value: FieldValue(.null), line: metadataField.line)
                decoder.warning(place, "is missing: an Envoy in this pod must name itself \(metadata.key)")
            }
            let labels = present("labels", of: metadataField).map { decoder.labels($0) ?? [:] } ?? [:]
            let status = present("status", of: root).flatMap { decoder.object($0, expected: "a map") }
            let pod = Pod(
                metadata: metadata, labels: labels, addresses: status.map { addresses(of: $0, with: &decoder) } ?? [],
                phase: status.map { phase(of: $0, with: &decoder) } ?? .pending,
                isReady: status.map { isReady($0, with: &decoder) } ?? false,
                serviceAccount: serviceAccount(of: root, with: &decoder))
            if !decoder.hasErrors { result.object = pod }
        }
        result.diagnostics = decoder.diagnostics
        return result
    }

    private func present(_ name: String, of object: ObjectField) -> Field? {
        object[name].flatMap { $0.value.kind == .null ? nil : $0 }
    }

    /// The API server writes `default` where a pod names none; files may leave it out.
    private func serviceAccount(of root: ObjectField, with decoder: inout FieldDecoder) -> String {
        guard let spec = present("spec", of: root).flatMap({ decoder.object($0, expected: "a map") }),
            let field = present("serviceAccountName", of: spec),
            let name = decoder.string(field, expected: "the name of a service account"), !name.isEmpty
        else { return "default" }
        return name
    }

    private func phase(of status: ObjectField, with decoder: inout FieldDecoder) -> Pod.Phase {
        guard let field = present("phase", of: status), let text = decoder.string(field, expected: "a phase") else {
            return .pending
        }
        if let phase = Pod.Phase(rawValue: text) { return phase }
        decoder.error(
            field, "must be Pending, Running, Succeeded, Failed or Unknown, not the text \(DiagnosticText.quoted(text))")
        return .unknown
    }

    /// `podIP`, then what `podIPs` has besides.
    private func addresses(of status: ObjectField, with decoder: inout FieldDecoder) -> [IPAddress] {
        var result: [IPAddress] = []
        if let field = present("podIP", of: status), let address = address(field, with: &decoder) { result.append(address) }
        guard let field = present("podIPs", of: status) else { return result }
        for element in decoder.array(field, expected: "a list of addresses") ?? [] {
            guard let entry = decoder.object(element, expected: "a map with ip"), let field = present("ip", of: entry),
                let address = address(field, with: &decoder), !result.contains(address)
            else { continue }
            result.append(address)
        }
        return result
    }

    /// The address; nil after an error, and for the empty text of a pod that has none yet.
    private func address(_ field: Field, with decoder: inout FieldDecoder) -> IPAddress? {
        guard let text = decoder.string(field, expected: "an IP address"), !text.isEmpty else { return nil }
        if let address = IPAddress(text) { return address }
        decoder.error(field, "must be an IP address, not the text \(DiagnosticText.quoted(text))")
        return nil
    }

    private func isReady(_ status: ObjectField, with decoder: inout FieldDecoder) -> Bool {
        guard let field = present("conditions", of: status),
            let elements = decoder.array(field, expected: "a list of conditions")
        else { return false }
        for element in elements where element.value["type"]?.text == "Ready" {
            guard let condition = decoder.object(element, expected: "a condition"),
                let field = decoder.required("status", of: condition, expected: "\"True\" or \"False\"")
            else { return false }
            return decoder.quotableString(field, expected: "\"True\", \"False\" or \"Unknown\"") == "True"
        }
        return false
    }
}
