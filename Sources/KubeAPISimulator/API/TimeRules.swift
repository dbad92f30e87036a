/// The times in built-in objects, which the API server parses before it looks at anything else: one that it can't read is a bad request.
enum TimeRules {
    private static let whole = "2006-01-02T15:04:05Z07:00"
    private static let micro = "2006-01-02T15:04:05.000000Z07:00"

    static func check(_ object: JSONValue, _ type: ResourceType) throws(StatusError) {
        switch type.storageKey {
        case "leases.coordination.k8s.io":
            for field in ["acquireTime", "renewTime"] { try check(object["spec", field], micro, type) }
        case "events":
            try check(object["eventTime"], micro, type)
            try check(object["series", "lastObservedTime"], micro, type)
            for field in ["firstTimestamp", "lastTimestamp", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
                try check(object[field], whole, type)
            }
        case "pods":
            for condition in object["status", "conditions"]?.elements ?? [] {
                for field in ["lastTransitionTime", "lastProbeTime"] { try check(condition[field], whole, type) }
            }
        default: break
        }
    }

    /// A `MicroTime` must have six digits of a second, a `Time` may have any number.
    private static func check(_ value: JSONValue?, _ layout: String, _ type: ResourceType) throws(StatusError) {
        guard let value, value != .null else { return }
        let text = value.text ?? ""
        let digits = text.utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst().prefix { (0x30...0x39).contains($0) }.count
        if Timestamp.seconds(text) != nil, layout == whole || digits == 6 { return }
        throw .badRequest(
            "\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): parsing time "
                + "\(value.encodedText) as \"\(layout)\": cannot parse \(value.encodedText)")
    }
}
