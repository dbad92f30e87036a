extension APIServer {
    func filter(_ request: APIRequest, _ route: Route) throws(StatusError) -> ObjectFilter {
        var filter = ObjectFilter(namespace: route.namespace)
        if let text = request.query["labelSelector"], !text.isEmpty { filter.labels = try LabelSelector(parsing: text) }
        if let text = request.query["fieldSelector"], !text.isEmpty {
            filter.fields = try FieldSelector(parsing: text, for: route.type)
        }
        if !route.name.isEmpty { filter.fields = try FieldSelector(parsing: "metadata.name=\(route.name)", for: route.type) }
        return filter
    }

    mutating func get(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        guard let object = store.object(route.type, namespace: route.namespace, name: route.name) else {
            throw .notFound(route.type, route.name)
        }
        return try represent(object, request, route.type)
    }

    func represent(
        _ object: StoredObject, code: Int = 200, _ request: APIRequest, _ type: ResourceType
    ) throws(StatusError) -> CompleteResponse {
        switch try Representation(request, type) {
        case .json:
            var body: [UInt8] = []
            object.write(as: type, to: &body)
            return CompleteResponse(code, contentType: "application/json", body: body)
        case .table(let options):
            let table = Table(type, options, now: now)
            return CompleteResponse(
                code, json: table.list([object], metadata: ["resourceVersion": .string(String(object.revision))]))
        case .metadata: return CompleteResponse(code, json: PartialMetadata.object(object.value(as: type)))
        case .protobuf:
            return CompleteResponse(
                code, contentType: ProtobufFrames.contentType, body: ProtobufFrames.object(object.value(as: type), type))
        }
    }

    /// Lists objects, by page when the request has a limit.
    mutating func list(_ request: APIRequest, _ route: Route) throws(StatusError) -> CompleteResponse {
        let filter = try filter(request, route)
        let limit = request.query["limit"].flatMap(Int.init) ?? 0
        if request.query["sendInitialEvents"] != nil {
            throw Self.invalidListOptions("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
        }
        let position = try listPosition(request, route)
        var page: [StoredObject] = []
        var remaining = 0
        var rest: String?
        let objects = position.revision == nil ? store[route.type].objects : store[route.type].objects(at: position.revision ?? 0)
        let keys = position.revision == nil ? store[route.type].keys() : objects.keys.sorted()
        var index = position.after.map { after in keys.partitioningIndex { $0 > after } } ?? 0
        while index < keys.count {
            if let object = objects[keys[index]], filter.matches(object) {
                if limit > 0, page.count == limit {
                    rest = rest ?? page.last?.key
                    remaining += 1
                    // Without selectors the rest needs no look, except that other namespaces lie among it.
                    if filter.labels != nil || filter.fields != nil { break }
                } else {
                    page.append(object)
                }
            }
            index += 1
        }
        let revision = position.revision ?? store.revision
        var metadata: JSONValue = ["resourceVersion": .string(String(position.shownRevision ?? revision))]
        if let rest {
            metadata["continue"] = .string(ContinueToken(revision: revision, after: rest).text)
            if filter.labels == nil && filter.fields == nil { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        }
        return CompleteResponse(
            contentType: try contentType(request, route.type), body: try encode(page, metadata, request, route.type))
    }

    private struct ListPosition {
        /// The revision whose state is listed; nil for the present.
        var revision: UInt64?
        var after: String?
        var shownRevision: UInt64?
    }

    private mutating func listPosition(_ request: APIRequest, _ route: Route) throws(StatusError) -> ListPosition {
        let version = request.query["resourceVersion"] ?? ""
        let match = request.query["resourceVersionMatch"] ?? ""
        if let text = request.query["continue"], !text.isEmpty {
            guard !(version != "" && version != "0") else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            guard match.isEmpty else {
                throw Self.invalidListOptions(
                    "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden when continue is provided")
            }
            guard let token = ContinueToken(parsing: text) else { throw .badRequest("continue key is not valid") }
            guard let revision = token.revision else { return ListPosition(revision: nil, after: token.after) }
            guard revision >= compaction(route.type), revision <= store.revision else {
                var error = StatusError.expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                        + "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
                        + "the results. Continuing with the provided token results in an inconsistent list - objects that were "
                        + "created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
                )
                error.continueToken = ContinueToken(revision: nil, after: token.after).text
                throw error
            }
            return ListPosition(
                revision: revision == store.revision ? nil : revision, after: token.after, shownRevision: revision)
        }
        if !match.isEmpty {
            guard match == "Exact" || match == "NotOlderThan" else {
                throw Self.invalidListOptions(
                    "resourceVersionMatch",
                    "Unsupported value: \"\(match)\": supported values: \"Exact\", \"NotOlderThan\", \"\"")
            }
            guard !version.isEmpty else {
                throw Self.invalidListOptions(
                    "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
            }
        }
        guard !version.isEmpty, version != "0" else { return ListPosition() }
        guard let wanted = UInt64(version) else {
            throw .badRequest("Invalid value: \"\(version)\": strconv.ParseUint: invalid syntax")
        }
        if wanted > store.revision { throw Self.tooLarge(wanted, store.revision) }
        // With a limit and no match, a version means exactly that version.
        guard match == "Exact" || (match.isEmpty && request.query["limit"] != nil && request.query["limit"] != "0") else {
            return ListPosition()
        }
        guard wanted >= compaction(route.type) else { throw .expired("The resourceVersion for the provided list is too old.") }
        return ListPosition(revision: wanted)
    }

    /// The newest revision whose history is gone.
    mutating func compaction(_ type: ResourceType) -> UInt64 { max(store[type].compacted, store.compactedEverything) }

    static func invalidListOptions(_ field: String, _ message: String) -> StatusError {
        StatusError(
            422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: \(field): \(message)",
            details: [
                "group": "meta.k8s.io", "kind": "ListOptions",
                "causes": [
                    StatusCause(reason: "FieldValueForbidden", message: message, field: field).value
                ],
            ])
    }

    static func tooLarge(_ wanted: UInt64, _ current: UInt64) -> StatusError {
        StatusError(
            504, "Timeout", "Too large resource version: \(wanted), current: \(current)",
            details: ["causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]]], retryAfter: 1)
    }

    private func contentType(_ request: APIRequest, _ type: ResourceType) throws(StatusError) -> String {
        if case .protobuf = try Representation(request, type) { return ProtobufFrames.contentType }
        return "application/json"
    }

    private func encode(
        _ page: [StoredObject], _ metadata: JSONValue, _ request: APIRequest, _ type: ResourceType
    ) throws(StatusError) -> [UInt8] {
        switch try Representation(request, type) {
        case .table(let options): return Table(type, options, now: now).list(page, metadata: metadata).encoded
        case .metadata:
            return JSONValue.object([
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": .array(page.map { PartialMetadata.object($0.value(as: type)) }),
            ]).encoded
        case .protobuf: return ProtobufFrames.list(page.lazy.map { $0.message(as: type) }, metadata, type)
        case .json:
            var bytes = Array("{\"kind\":\"\(type.listKind)\",\"apiVersion\":\"\(type.apiVersion)\",\"metadata\":".utf8)
            bytes.reserveCapacity(page.reduce(200) { $0 + $1.body.count + 100 })
            metadata.write(to: &bytes)
            bytes += ",\"items\":[".utf8
            for (index, object) in page.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                object.write(as: type, withTypeMetadata: type.isCustom, to: &bytes)
            }
            bytes += "]}\n".utf8
            return bytes
        }
    }
}

/// Where a paged list continues: after a key, in the state of a revision or, when nil, in the present one.
struct ContinueToken: Hashable, Sendable {
    var revision: UInt64?
    var after: String

    init(revision: UInt64?, after: String) {
        self.revision = revision
        self.after = after
    }

    init?(parsing text: String) {
        guard let bytes = Base64.decode(text), let value = try? JSONValue(parsing: bytes), let after = value["start"]?.text else {
            return nil
        }
        self.init(revision: value["rv"]?.wholeNumber.flatMap { $0 < 0 ? nil : UInt64($0) }, after: after)
    }

    /// Opaque to clients, as in etcd's: base64 of JSON.
    var text: String {
        let revision = revision.map { JSONValue.integer(Int64(clamping: $0)) } ?? -1
        return Base64.encode(JSONValue.object(["v": "meta.k8s.io/v1", "rv": revision, "start": .string(after)]).encoded)
    }
}

enum PartialMetadata {
    static func object(_ value: JSONValue) -> JSONValue {
        ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"] ?? [:]]
    }
}

extension Array {
    /// The first index whose element satisfies `predicate`, which no element before and every one after does.
    func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
