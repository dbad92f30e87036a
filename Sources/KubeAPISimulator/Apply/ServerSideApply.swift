/// Server-side apply: merges what a manager applies, and removes what it no longer does.
struct ServerSideApply {
    let type: ResourceType
    let writer: FieldWriter
    let isForced: Bool

    /// The object that results, with its managed fields.
    func apply(_ configuration: JSONValue, to live: JSONValue?) throws(StatusError) -> JSONValue {
        let tracked = ManagedFields.tracked(configuration, type, subresource: writer.subresource)
        let fields: FieldSet
        do throws(UndeclaredField) {
            fields = try FieldSet.fields(of: tracked, type.schema, isStrict: type.isCustom)
        } catch {
            let metadata = configuration["metadata"]
            throw StatusError(
                500, "",
                "failed to create typed patch object (\(metadata?["namespace"]?.text ?? "")/\(metadata?["name"]?.text ?? ""); "
                    + "\(type.apiVersion), Kind=\(type.kind)): \(error.path): field not declared in schema")
        }
        var entries = ManagedFields.entries(of: live)
        let former = entries.first { $0.belongs(to: writer, "Apply") }
        entries.removeAll { $0.belongs(to: writer, "Apply") }
        try resolveConflicts(fields, tracked, live, &entries)

        var merged = Self.merge(tracked, into: live ?? [:], type.schema)
        if let former {
            let others = entries.reduce(FieldSet()) { $0.union($1.fields) }
            merged = Self.prune(merged, former.fields, fields, others, type.schema) ?? [:]
        }
        if live == nil {
            merged["apiVersion"] = configuration["apiVersion"]
            merged["kind"] = configuration["kind"]
            for name in ["name", "namespace"] { merged["metadata", name] = configuration["metadata", name] }
        }
        var own = ManagedEntry(writer, operation: "Apply", apiVersion: type.apiVersion, fields: fields)
        if let former, former.fields == fields, former.apiVersion == own.apiVersion { own.time = former.time }
        ManagedFields.store(entries + [own], in: &merged)
        return merged
    }

    // MARK: Conflicts

    private func resolveConflicts(
        _ fields: FieldSet, _ applied: JSONValue, _ live: JSONValue?, _ entries: inout [ManagedEntry]
    ) throws(StatusError) {
        var causes: [(manager: String, path: String)] = []
        for index in entries.indices {
            let conflicts = Self.conflicts(fields, entries[index].fields, live, applied, type.schema)
            if conflicts.isEmpty { continue }
            if isForced {
                entries[index].fields = entries[index].fields.subtractingTrees(conflicts)
                continue
            }
            let entry = entries[index]
            let subresource = entry.subresource.isEmpty ? "" : " with subresource \"\(entry.subresource)\""
            let manager = "conflict with \"\(entry.manager)\"\(subresource) using \(entry.apiVersion)"
            causes += conflicts.paths().map { (manager, $0) }
        }
        if causes.isEmpty { return }
        let message =
            causes.count == 1
            ? "Apply failed with 1 conflict: \(causes[0].manager): \(causes[0].path)"
            : "Apply failed with \(causes.count) conflicts: "
                + causes.map { "\($0.manager):\n- \($0.path)" }.joined(separator: "\n")
        throw StatusError(
            409, "Conflict", message,
            details: [
                "causes": .array(
                    causes.map { StatusCause(reason: "FieldManagerConflict", message: $0.manager, field: $0.path).value })
            ])
    }

    /// The fields of both sets whose value an apply would change.
    private static func conflicts(
        _ applied: FieldSet, _ other: FieldSet, _ live: JSONValue?, _ new: JSONValue?, _ schema: Schema?
    ) -> FieldSet {
        var result = FieldSet()
        if applied.isOwned && other.isOwned && (applied.children.isEmpty || other.children.isEmpty) {
            return live == new ? result : .leaf
        }
        for (key, child) in applied.children {
            guard let otherChild = other.children[key] else { continue }
            let part = conflicts(
                child, otherChild, member(key, of: live, schema), member(key, of: new, schema), schema?.child(key))
            if !part.isEmpty { result.children[key] = part }
        }
        return result
    }

    private static func member(_ key: String, of value: JSONValue?, _ schema: Schema?) -> JSONValue? {
        if key.hasPrefix("f:") { return value?[String(key.dropFirst(2))] }
        return value?.elements?.first { ListElement.key($0, schema) == key }
    }

    // MARK: Merging

    static func merge(_ applied: JSONValue, into live: JSONValue?, _ schema: Schema?) -> JSONValue {
        switch (applied, live) {
        case (.object(let members), .object(var result)) where schema?.isAtomicMap != true:
            for (name, member) in members { result[name] = merge(member, into: result[name], schema?.member(name)) }
            return .object(result)
        case (.array(let elements), .array(var result)) where schema != nil && schema?.listType != .atomic:
            for element in elements {
                let key = ListElement.key(element, schema)
                if let index = result.firstIndex(where: { ListElement.key($0, schema) == key }) {
                    result[index] = merge(element, into: result[index], schema?.items)
                } else {
                    result.append(element)
                }
            }
            return .array(result)
        default: return applied
        }
    }

    /// Removes what was applied before, isn't now, and nobody else owns; nil when nothing is left.
    private static func prune(
        _ value: JSONValue, _ former: FieldSet, _ present: FieldSet?, _ others: FieldSet?, _ schema: Schema?
    ) -> JSONValue? {
        if present == nil, others == nil, former.isOwned { return nil }
        switch value {
        case .object(var members) where schema?.isAtomicMap != true:
            for (key, child) in former.children {
                let name = String(key.dropFirst(2))
                guard let member = members[name] else { continue }
                members[name] = prune(member, child, present?.children[key], others?.children[key], schema?.member(name))
            }
            return members.isEmpty && present == nil ? nil : .object(members)
        case .array(let elements) where schema != nil && schema?.listType != .atomic:
            let kept = elements.compactMap { element -> JSONValue? in
                let key = ListElement.key(element, schema)
                guard let child = former.children[key] else { return element }
                return prune(element, child, present?.children[key], others?.children[key], schema?.items)
            }
            return kept.isEmpty && present == nil ? nil : .array(kept)
        default: return value
        }
    }
}

extension FieldSet {
    /// The owned paths as messages show them.
    fileprivate func paths(_ prefix: String = "") -> [String] {
        (isOwned ? [prefix] : [])
            + children.sorted { $0.key < $1.key }.flatMap { $0.value.paths(prefix + ListElement.shown($0.key)) }
    }
}

extension Schema {
    /// The schema of a child by its key in a field set.
    fileprivate func child(_ key: String) -> Schema? { key.hasPrefix("f:") ? member(String(key.dropFirst(2))) : items }
}
