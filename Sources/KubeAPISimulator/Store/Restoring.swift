extension APIServer {
    /// Puts objects in as they are, uid and status included: the state after a restore from a backup.
    ///
    /// As operators of etcd are told to do (`etcdutl snapshot restore --bump-revision --mark-compacted`), versions go on above all
    /// that were before, and watches from those get 410.
    mutating func restore(_ objects: [JSONValue]) {
        func isDefinition(_ object: JSONValue) -> Bool { object["kind"]?.text == "CustomResourceDefinition" }
        for definition in objects where isDefinition(definition) { serve(definition) }
        for object in objects {
            let type = types.first { $0.apiVersion == object["apiVersion"]?.text && $0.kind == object["kind"]?.text }
            guard let type else { continue }
            store.put(type.conversion == .events ? EventConversion.toCore(object) : object, as: type)
        }
        guard !objects.isEmpty else { return }
        store.advance(by: UInt64(max(0, now * 1000)))
        store.compact()
    }
}
