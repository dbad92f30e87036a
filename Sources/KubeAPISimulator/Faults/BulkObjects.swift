extension APIServer {
    /// Stores an object as it is, validated by nothing; one that is there keeps its identity. Nothing happens to unknown kinds.
    mutating func storeUnchecked(_ object: JSONValue) {
        let type = types.first { $0.apiVersion == object["apiVersion"]?.text && $0.kind == object["kind"]?.text }
        guard let type else { return }
        var object = object
        prepareNew(&object, type, manager: nil)
        let namespace = type.isNamespaced ? object["metadata", "namespace"]?.text ?? "default" : ""
        if let stored = store.object(type, namespace: namespace, name: object["metadata", "name"]?.text ?? "") {
            let former = stored.value(as: type)
            for member in ["uid", "creationTimestamp"] { object["metadata", member] = former["metadata", member] }
        }
        store.put(object, as: type)
    }
}
