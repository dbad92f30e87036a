/// One open watch: where it stands in the history and in which form it gets events.
struct Watch: Sendable {
    var type: ResourceType
    var filter: ObjectFilter
    var representation: Representation
    /// The last revision that was sent or passed over.
    var cursor: UInt64
    /// Seconds since 1970 at which it ends normally.
    var deadline: Double
    var wantsBookmarks: Bool
    /// When the next bookmark is due.
    var nextBookmark: Double
    /// The objects with which it begins.
    var initialObjects: [StoredObject] = []
    /// Whether the end of the initial objects is marked by a bookmark.
    var marksInitialEnd = false
    /// Ends the watch with this as its only event.
    var error: StatusError?
    /// Whether the columns of a table were sent.
    var hasSentColumns = false

    var contentType: String {
        if case .protobuf = representation { return ProtobufFrames.watchContentType }
        return "application/json"
    }

    /// How an event begins; what follows may never come.
    var beginningOfEvent: [UInt8] {
        if case .protobuf = representation { return [0, 0, 0x0F, 0xFC, 0x0A, 8] + Array("MODIFIED".utf8) }
        return Array(#"{"type":"MODIFIED","object":{"#.utf8)
    }

    func isFor(_ resource: String) -> Bool { resource == "*" || type.plural == resource }
}

extension APIServer {
    mutating func watch(_ request: APIRequest, _ route: Route) throws(StatusError) -> Watch {
        let filter = try filter(request, route)
        let seconds = request.query["timeoutSeconds"].flatMap(Double.init) ?? 0
        let wantsBookmarks = request.flag("allowWatchBookmarks") && settings.sendsBookmarks
        var watch = Watch(
            type: route.type, filter: filter, representation: try Representation(request, route.type), cursor: store.revision,
            deadline: now + (seconds > 0 ? min(seconds, 86_400) : 1800), wantsBookmarks: wantsBookmarks,
            nextBookmark: now + settings.bookmarkInterval)
        let version = request.query["resourceVersion"] ?? ""
        let streams = try checkStreamingList(request)
        guard let wanted = version.isEmpty ? 0 : UInt64(version) else {
            throw .badRequest("Invalid value: \"\(version)\": strconv.ParseUint: parsing \"\(version)\": invalid syntax")
        }
        if streams == true || (streams == nil && wanted == 0) {
            if wanted > store.revision { throw Self.tooLarge(wanted, store.revision) }
            let objects = store[route.type].objects
            watch.initialObjects = store[route.type].keys().compactMap { objects[$0] }.filter(filter.matches)
            watch.marksInitialEnd = streams == true && wantsBookmarks
        } else if wanted > 0 {
            watch.cursor = wanted
            let oldest = compaction(route.type)
            // As the watch cache does: by an event, since the request itself was fine.
            if wanted < oldest { watch.error = .expired("too old resource version: \(wanted) (\(oldest))") }
        }
        return watch
    }

    /// Whether the request asks for initial events; nil when it doesn't say.
    private func checkStreamingList(_ request: APIRequest) throws(StatusError) -> Bool? {
        let match = request.query["resourceVersionMatch"] ?? ""
        guard let value = request.query["sendInitialEvents"] else {
            if !match.isEmpty {
                throw Self.invalidListOptions(
                    "resourceVersionMatch",
                    "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            }
            return nil
        }
        switch settings.streamingListRefusal {
        case 400: throw .badRequest("unknown parameter sendInitialEvents")
        case .some:
            throw Self.invalidListOptions(
                "sendInitialEvents",
                "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
        case nil: break
        }
        guard match == "NotOlderThan" else {
            throw Self.invalidListOptions(
                "resourceVersionMatch",
                match.isEmpty
                    ? "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                    : "Unsupported value: \"\(match)\": supported values: \"NotOlderThan\"")
        }
        return value == "true" || value == "1"
    }

    /// What a watch has to send now, frame by frame; advances it.
    mutating func frames(for watch: inout Watch) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var encoder = WatchEncoder(watch: watch, now: now)
        if let error = watch.error { return [encoder.error(error)] }
        if !watch.initialObjects.isEmpty {
            frames += watch.initialObjects.map { encoder.event(.added, $0) }
            watch.initialObjects = []
        }
        if watch.marksInitialEnd {
            watch.marksInitialEnd = false
            frames.append(encoder.bookmark(watch.cursor, isInitialEnd: true))
        }
        if watch.cursor < store.revision {
            if watch.cursor < compaction(watch.type) {
                // A slow watcher that the history has outrun.
                let error = StatusError.expired("too old resource version: \(watch.cursor) (\(compaction(watch.type)))")
                watch.error = error
                return frames + [encoder.error(error)]
            }
            for change in store[watch.type].changes(after: watch.cursor) {
                if let kind = watch.filter.visibleKind(of: change) {
                    frames.append(encoder.event(kind, change.object(seenAs: kind)))
                }
            }
            watch.cursor = store.revision
        }
        if watch.wantsBookmarks, now >= watch.nextBookmark {
            watch.nextBookmark = now + settings.bookmarkInterval
            frames.append(encoder.bookmark(watch.cursor, isInitialEnd: false))
        }
        watch.hasSentColumns = encoder.hasSentColumns
        return frames
    }
}

extension ObjectFilter {
    /// How a watch with this filter sees a change; nil when not at all. An object that leaves the selection was deleted for it.
    func visibleKind(of change: Change) -> ChangeKind? {
        let isNow = change.kind != .deleted && matches(change.object)
        let wasBefore = change.previous.map(matches) ?? false
        switch (wasBefore, isNow) {
        case (false, true): return .added
        case (true, true): return .modified
        case (true, false): return .deleted
        case (false, false): return nil
        }
    }
}

extension Change {
    /// The object that the event carries.
    func object(seenAs kind: ChangeKind) -> StoredObject {
        // Of an object that left the selection the former state is told, with the revision of the change.
        guard kind == .deleted, self.kind != .deleted, let previous else { return object }
        var value = (try? JSONValue(parsing: [UInt8(ascii: "{")] + previous.body)) ?? [:]
        value["metadata", "resourceVersion"] = .string(String(revision))
        return StoredObject(value, revision: revision, selectable: [])
    }
}
