extension ResourceType {
    /// The types that a CustomResourceDefinition declares, one for each served version.
    static func types(of definition: JSONValue) -> [ResourceType] {
        guard let spec = definition["spec"], let group = spec["group"]?.text, let names = spec["names"],
            let plural = names["plural"]?.text, let kind = names["kind"]?.text
        else { return [] }
        let versions = spec["versions"]?.elements ?? []
        let storage = versions.first { $0["storage"]?.truth == true }?["name"]?.text ?? "v1"
        return versions.filter { $0["served"]?.truth == true }.map { version in
            let name = version["name"]?.text ?? ""
            var columns = (version["additionalPrinterColumns"]?.elements ?? []).map(PrinterColumn.init)
            // Without columns of its own, a definition shows the age.
            if columns.isEmpty { columns = [PrinterColumn(name: "Age", type: "date", path: ".metadata.creationTimestamp")] }
            return ResourceType(
                group: group, version: name, plural: plural, singular: names["singular"]?.text ?? kind.lowercased(), kind: kind,
                listKind: names["listKind"]?.text ?? kind + "List", shortNames: strings(names["shortNames"]),
                categories: strings(names["categories"]), isNamespaced: spec["scope"]?.text == "Namespaced", isCustom: true,
                hasStatus: version["subresources", "status"] != nil, hasGeneration: true, columns: [.name] + columns,
                schema: version["schema", "openAPIV3Schema"].map { Schema(parsing: $0, isRoot: true) },
                storageKey: "\(plural).\(group)", storageAPIVersion: "\(group)/\(storage)")
        }
    }

    private static func strings(_ value: JSONValue?) -> [String] { (value?.elements ?? []).compactMap(\.text) }
}

extension PrinterColumn {
    fileprivate init(_ column: JSONValue) {
        self.init(
            name: column["name"]?.text ?? "", type: column["type"]?.text ?? "string", format: column["format"]?.text ?? "",
            description: column["description"]?.text ?? "", path: column["jsonPath"]?.text ?? "",
            priority: column["priority"]?.wholeNumber ?? 0)
    }
}
