import Domain

/// Reads `metadata` of an object, which is the same for every kind.
struct MetadataDecoder {
    /// The namespace of objects that name none.
    let defaultNamespace: String

    private static let maximumLength = 253

    /// Reads the metadata of the object `root`; nil only when it is unknown which object it is.
    func decode(_ root: ObjectField, with decoder: inout FieldDecoder) -> (metadata: ObjectMetadata, field: ObjectField)? {
        guard let field = decoder.required("metadata", of: root, expected: "a map with the object's name"),
            let metadata = decoder.object(field, expected: "a map with the object's name")
        else { return nil }
        let name = decoder.required("name", of: metadata, expected: "the object's name").flatMap {
            objectName($0, with: &decoder)
        }
        let namespace: String?
        switch metadata["namespace"] {
        case .some(let field) where field.value.text != "" && field.value.kind != .null:
            namespace = objectName(field, with: &decoder)
        default: namespace = defaultNamespace
        }
        guard let name, let namespace else { return nil }
        var result = ObjectMetadata(key: ObjectKey(namespace: namespace, name: name))
        if let field = present("uid", of: metadata) {
            result.uid = decoder.quotableString(field, expected: "text") ?? ""
        }
        if let field = present("resourceVersion", of: metadata) {
            result.resourceVersion = decoder.quotableString(field, expected: "text") ?? ""
        }
        if let field = present("generation", of: metadata) {
            result.generation = decoder.integer(field, in: 0...Int64.max, expected: "a whole number, not negative") ?? 0
        }
        if let field = present("creationTimestamp", of: metadata) { result.creationSeconds = time(field, with: &decoder) ?? 0 }
        if let field = present("deletionTimestamp", of: metadata) { result.isTerminating = time(field, with: &decoder) != nil }
        if let field = present("finalizers", of: metadata) {
            let finalizers = decoder.array(field, expected: "a list of finalizers") ?? []
            result.finalizers = finalizers.compactMap { decoder.string($0, expected: "a finalizer's name") }
        }
        return (result, metadata)
    }

    /// A member that is there and not null: generated objects carry `creationTimestamp: null`.
    private func present(_ name: String, of metadata: ObjectField) -> Field? {
        metadata[name].flatMap { $0.value.kind == .null ? nil : $0 }
    }

    /// A name as it appears in `namespace/name`; the API server's own rules are stricter.
    private func objectName(_ field: Field, with decoder: inout FieldDecoder) -> String? {
        if case .string = field.value.kind {
            guard let name = decoder.name(field, maximumLength: MetadataDecoder.maximumLength) else { return nil }
            if !name.utf8.contains(UInt8(ascii: "/")) { return name }
            decoder.error(field, "must not contain a slash, as \(DiagnosticText.quoted(name)) does")
            return nil
        }
        return decoder.quotableString(field, expected: "a name")
    }

    private func time(_ field: Field, with decoder: inout FieldDecoder) -> Int64? {
        let expected = "a time such as 2024-05-01T12:00:00Z"
        guard let text = decoder.string(field, expected: expected) else { return nil }
        if let seconds = Timestamp.seconds(text) { return seconds }
        decoder.error(field, "must be \(expected), not the text \(DiagnosticText.quoted(text))")
        return nil
    }
}
