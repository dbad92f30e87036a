import Foundation

/// The admin interface of an Envoy.
public struct EnvoyAdmin: Sendable {
    /// Where it listens.
    public var address: SocketAddress

    /// Speaks to the interface at `address`.
    public init(address: SocketAddress) {
        self.address = address
    }

    /// Fetches `path`.
    public func get(_ path: String) async throws -> HTTPAnswer {
        try await httpGet(path, from: address)
    }

    /// All counters and gauges whose name has `part` in it.
    public func statistics(containing part: String) async throws -> [String: UInt64] {
        // The filter is a regular expression in a query: everything but letters and digits matches as any character.
        let pattern = String(part.map { $0.isASCII && ($0.isLetter || $0.isNumber) || "_-".contains($0) ? $0 : "." })
        let answer = try await get("/stats?filter=\(pattern)")
        var found: [String: UInt64] = [:]
        for line in answer.body.split(separator: "\n") {
            guard let colon = line.lastIndex(of: ":"), let value = UInt64(line[line.index(after: colon)...].dropFirst()) else {
                continue
            }
            found[String(line[..<colon])] = value
        }
        return found
    }

    /// The counter or gauge `name`, 0 when Envoy has none of that name yet.
    public func statistic(_ name: String) async throws -> UInt64 {
        try await statistics(containing: name)[name] ?? 0
    }

    /// The names of the active listeners with their addresses.
    public func listeners() async throws -> [String: SocketAddress] {
        var found: [String: SocketAddress] = [:]
        for line in try await get("/listeners").body.split(separator: "\n") {
            guard let separator = line.range(of: "::"), let address = SocketAddress(line[separator.upperBound...]) else {
                continue
            }
            found[String(line[..<separator.lowerBound])] = address
        }
        return found
    }

    /// The hosts of `cluster` with their health: `healthy`, or the flags that speak against it, such as `/failed_eds_health`.
    public func hosts(of cluster: String) async throws -> [SocketAddress: String] {
        var found: [SocketAddress: String] = [:]
        for line in try await get("/clusters").body.split(separator: "\n") {
            let fields = line.components(separatedBy: "::")
            if fields.count == 4, fields[0] == cluster, fields[2] == "health_flags", let address = SocketAddress(fields[1]) {
                found[address] = fields[3]
            }
        }
        return found
    }

    /// The names of all clusters.
    public func clusters() async throws -> Set<String> {
        Set(try await get("/clusters").body.split(separator: "\n").compactMap { $0.components(separatedBy: "::").first })
    }
}
