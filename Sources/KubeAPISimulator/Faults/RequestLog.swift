/// Counts of what clients did.
public struct RequestLog: Hashable, Sendable {
    /// Requests that are counted together.
    public struct Key: Hashable, Sendable {
        /// The verb, such as `list`.
        public var verb: String
        /// The resource, such as `virtualservices/status`; the path of what is no resource.
        public var resource: String
        /// The HTTP status; 0 when a fault left the request without an answer.
        public var status: Int
        /// The client's User-Agent.
        public var userAgent: String
    }

    /// How often each was requested.
    public internal(set) var counts: [Key: Int] = [:]
    /// How many watches of each resource are open.
    public internal(set) var openWatches: [String: Int] = [:]
    /// How many connections were accepted.
    public internal(set) var connections = 0

    /// How many requests there were of the given properties; nil means any.
    public func count(verb: String? = nil, resource: String? = nil, status: Int? = nil, userAgent: String? = nil) -> Int {
        let match = RequestMatch(verb: verb, resource: resource, userAgent: userAgent)
        return counts.reduce(0) { sum, entry in
            let (key, count) = entry
            return match.matches(verb: key.verb, resource: key.resource, userAgent: key.userAgent)
                && (status ?? key.status) == key.status ? sum + count : sum
        }
    }

    /// How many requests changed something, or tried to.
    public var writes: Int {
        counts.reduce(0) {
            ["create", "update", "patch", "delete", "deletecollection"].contains($1.key.verb) ? $0 + $1.value : $0
        }
    }

    var value: JSONValue {
        let entries = counts.sorted {
            ($0.key.verb, $0.key.resource, $0.key.status) < ($1.key.verb, $1.key.resource, $1.key.status)
        }
        return [
            "connections": .integer(Int64(connections)), "openWatches": .object(openWatches.mapValues { .integer(Int64($0)) }),
            "requests": .array(
                entries.map { key, count in
                    [
                        "verb": .string(key.verb), "resource": .string(key.resource), "status": .integer(Int64(key.status)),
                        "userAgent": .string(key.userAgent), "count": .integer(Int64(count)),
                    ]
                }),
        ]
    }
}
