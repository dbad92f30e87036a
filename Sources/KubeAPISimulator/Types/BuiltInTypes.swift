extension ResourceType {
    static func builtIn(
        _ plural: String, _ kind: String, group: String = "", shortNames: [String] = []
    ) -> ResourceType {
        let version = "v1"
        let apiVersion = group.isEmpty ? version : "\(group)/\(version)"
        return ResourceType(
            group: group, version: version, plural: plural, singular: kind.lowercased(), kind: kind, listKind: kind + "List",
            shortNames: shortNames, columns: [.name, .age], storageKey: group.isEmpty ? plural : "\(plural).\(group)",
            storageAPIVersion: apiVersion)
    }

    /// The types that need no CustomResourceDefinition.
    static let builtInTypes: [ResourceType] = {
        var namespaces = builtIn("namespaces", "Namespace", shortNames: ["ns"])
        namespaces.isNamespaced = false
        namespaces.hasStatus = true
        namespaces.columns = [.name, PrinterColumn(name: "Status", type: "string", path: ".status.phase"), .age]
        namespaces.schema = .coreType

        var pods = builtIn("pods", "Pod", shortNames: ["po"])
        pods.categories = ["all"]
        pods.hasStatus = true
        pods.hasGeneration = true
        pods.returnsDeletedObject = true
        pods.schema = .coreType
        pods.columns = [
            .name, PrinterColumn(name: "Ready", type: "string", path: "<pod-ready>"),
            PrinterColumn(name: "Status", type: "string", path: "<pod-status>"),
            PrinterColumn(name: "Restarts", type: "string", path: "<pod-restarts>"), .age,
            PrinterColumn(name: "IP", type: "string", path: ".status.podIP", priority: 1),
            PrinterColumn(name: "Node", type: "string", path: ".spec.nodeName", priority: 1),
        ]

        var serviceAccounts = builtIn("serviceaccounts", "ServiceAccount", shortNames: ["sa"])
        serviceAccounts.returnsDeletedObject = true
        serviceAccounts.schema = .coreType

        var leases = builtIn("leases", "Lease", group: "coordination.k8s.io")
        leases.columns = [.name, PrinterColumn(name: "Holder", type: "string", path: ".spec.holderIdentity"), .age]
        leases.schema = .coreType

        let eventColumns = [
            PrinterColumn(name: "Last Seen", type: "string", path: "<event-last-seen>"),
            PrinterColumn(name: "Type", type: "string", path: ".type"),
            PrinterColumn(name: "Reason", type: "string", path: ".reason"),
            PrinterColumn(name: "Object", type: "string", path: "<event-object>"),
            PrinterColumn(name: "Message", type: "string", path: "<event-message>"),
        ]
        var coreEvents = builtIn("events", "Event", shortNames: ["ev"])
        coreEvents.columns = eventColumns
        coreEvents.schema = .coreType
        var events = builtIn("events", "Event", group: "events.k8s.io", shortNames: ["ev"])
        events.columns = eventColumns
        events.schema = .coreType
        events.conversion = .events
        events.storageKey = "events"
        events.storageAPIVersion = "v1"

        var definitions = builtIn(
            "customresourcedefinitions", "CustomResourceDefinition", group: "apiextensions.k8s.io", shortNames: ["crd", "crds"])
        definitions.categories = ["api-extensions"]
        definitions.isNamespaced = false
        definitions.hasStatus = true
        definitions.hasGeneration = true
        definitions.columns = [.name, PrinterColumn(name: "Created At", type: "date", path: "<created-at>")]
        definitions.schema = .coreType

        var tokenReviews = builtIn("tokenreviews", "TokenReview", group: "authentication.k8s.io")
        tokenReviews.isNamespaced = false
        tokenReviews.isVirtual = true
        var accessReviews = builtIn("selfsubjectaccessreviews", "SelfSubjectAccessReview", group: "authorization.k8s.io")
        accessReviews.isNamespaced = false
        accessReviews.isVirtual = true
        var othersReviews = builtIn("subjectaccessreviews", "SubjectAccessReview", group: "authorization.k8s.io")
        othersReviews.isNamespaced = false
        othersReviews.isVirtual = true

        return [
            namespaces, pods, serviceAccounts, coreEvents, events, leases, definitions, tokenReviews, accessReviews,
            othersReviews,
            builtIn("configmaps", "ConfigMap", shortNames: ["cm"]), builtIn("secrets", "Secret"),
        ] + accessTypes
    }()
}

extension PrinterColumn {
    static let name = PrinterColumn(name: "Name", type: "string", format: "name", path: ".metadata.name")
    static let age = PrinterColumn(name: "Age", type: "string", path: "<age>")
}
