/// Encodes the events of one watch.
struct WatchEncoder {
    let type: ResourceType
    let representation: Representation
    let now: Double
    private(set) var hasSentColumns: Bool

    init(watch: Watch, now: Double) {
        type = watch.type
        representation = watch.representation
        self.now = now
        hasSentColumns = watch.hasSentColumns
    }

    mutating func event(_ kind: ChangeKind, _ object: StoredObject) -> [UInt8] {
        switch representation {
        case .json:
            var frame = Array("{\"type\":\"\(kind.rawValue)\",\"object\":".utf8)
            object.write(as: type, to: &frame)
            return frame + Array("}\n".utf8)
        case .table(let options):
            var table = Table(type, options, now: now)
            table.omitsColumns = hasSentColumns
            hasSentColumns = true
            return frame(kind.rawValue, table.list([object], metadata: ["resourceVersion": .string(String(object.revision))]))
        case .metadata: return frame(kind.rawValue, PartialMetadata.object(object.value(as: type)))
        case .protobuf: return ProtobufFrames.event(kind.rawValue, message: object.message(as: type), type)
        }
    }

    mutating func bookmark(_ revision: UInt64, isInitialEnd: Bool) -> [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(String(revision))]
        if isInitialEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        var object: JSONValue = ["kind": .string(type.kind), "apiVersion": .string(type.apiVersion), "metadata": metadata]
        switch representation {
        case .json:
            // An empty Go struct of a pod has these members.
            if type.storageKey == "pods" {
                object["spec"] = ["containers": .null]
                object["status"] = [:]
            }
            return frame("BOOKMARK", object)
        case .table(let options):
            var table = Table(type, options, now: now)
            table.omitsColumns = hasSentColumns
            hasSentColumns = true
            let stored = StoredObject(object, revision: revision, selectable: [])
            return frame("BOOKMARK", table.list([stored], metadata: ["resourceVersion": .string(String(revision))]))
        case .metadata: return frame("BOOKMARK", PartialMetadata.object(object))
        case .protobuf: return ProtobufFrames.event("BOOKMARK", message: ProtobufFrames.message(of: object, type), type)
        }
    }

    func error(_ error: StatusError) -> [UInt8] {
        if case .protobuf = representation { return ProtobufFrames.error(error) }
        return frame("ERROR", error.status)
    }

    private func frame(_ kind: String, _ object: JSONValue) -> [UInt8] {
        var frame = Array("{\"type\":\"\(kind)\",\"object\":".utf8)
        object.write(to: &frame)
        return frame + Array("}\n".utf8)
    }
}
