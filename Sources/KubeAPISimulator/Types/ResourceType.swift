/// One column of `kubectl get`.
struct PrinterColumn: Hashable, Sendable {
    var name: String
    var type: String
    var format = ""
    var description = ""
    /// A JSONPath as in a CustomResourceDefinition, or the name of a cell that is computed, in angle brackets.
    var path: String
    var priority: Int64 = 0
}

/// A resource as one version of one API group serves it.
struct ResourceType: Sendable {
    enum Conversion: Sendable {
        /// Versions differ in their `apiVersion` only.
        case apiVersionOnly
        /// events.k8s.io/v1 over the stored core/v1 form.
        case events
    }

    var group: String
    var version: String
    var plural: String
    var singular: String
    var kind: String
    var listKind: String
    var shortNames: [String] = []
    var categories: [String] = []
    var isNamespaced = true
    var isCustom = false
    /// Whether `status` is a subresource, written only there.
    var hasStatus = false
    var hasGeneration = false
    /// Whether a delete at once answers with the object rather than with a Status.
    var returnsDeletedObject = false
    /// Whether objects only live for the answer, as a TokenReview.
    var isVirtual = false
    var columns: [PrinterColumn] = []
    /// Drives validation and pruning of custom resources, and the merge of lists for all.
    var schema: Schema?
    var conversion: Conversion = .apiVersionOnly
    /// Objects of types with an equal key are the same objects.
    var storageKey: String
    /// The version under whose `kind` and `apiVersion` it is stored.
    var storageAPIVersion: String

    /// As in `apiVersion`, such as `v1` or `apps/v1`.
    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// As in error messages, such as `pods` or `leases.coordination.k8s.io`.
    var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// As in validation messages, such as `Pod` or `Lease.coordination.k8s.io`.
    var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }

    var isDefinition: Bool { storageKey == "customresourcedefinitions.apiextensions.k8s.io" }
    var isLease: Bool { storageKey == "leases.coordination.k8s.io" }

    var verbs: [String] {
        isVirtual ? ["create"] : ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    }

    /// What begins the JSON of every object, up to where the stored body continues.
    var typeMetadata: [UInt8] {
        // The order in which the API server writes them: struct order for built-in types, sorted for custom ones.
        isCustom
            ? Array("\"apiVersion\":\"\(apiVersion)\",\"kind\":\"\(kind)\",".utf8)
            : Array("\"kind\":\"\(kind)\",\"apiVersion\":\"\(apiVersion)\",".utf8)
    }
}
