import Domain
import EnvoyAPI
import Resolution
import XDS

/// The bytes of `ClusterLoadAssignment` messages, written without building them.
///
/// One pod that comes or goes changes the assignment of each call that uses it: thousands at once, of dozens of hosts each. By way
/// of messages that took 20 times as long, most of the time of a first sync. The bytes are those of the messages.
enum AssignmentEncoding {
    /// What stands for the map of filter metadata before the host: the key, which Maglev's hash looks for.
    private static let filter = "envoy.lb"
    private static let hashKey = "hash_key"

    static func bytes(of cluster: ClusterIntent, endpoints: [ResolvedEndpoint]) -> [UInt8] {
        let hosts = endpoints.hosts(of: cluster)
        var locality = WireWriter(capacity: 96 * hosts.count)
        for host in hosts {
            locality.bytes(bytes(of: host, isChecked: cluster.healthCheck != nil, isAlone: hosts.count == 1), field: 2)
        }
        var assignment = WireWriter(capacity: locality.output.count + cluster.name.utf8.count + 16)
        assignment.string(cluster.name, field: 1)
        if !hosts.isEmpty { assignment.bytes(locality.output, field: 2) }
        return assignment.output
    }

    /// The `LbEndpoint` of one host.
    private static func bytes(of host: ResolvedEndpoint, isChecked: Bool, isAlone: Bool) -> [UInt8] {
        let text = host.host.text
        var socketAddress = WireWriter(capacity: text.utf8.count + 8)
        socketAddress.string(text, field: 2)
        socketAddress.number(Int(host.port.value), field: 3)
        var address = WireWriter(capacity: socketAddress.output.count + 4)
        address.bytes(socketAddress.output, field: 1)
        var endpoint = WireWriter(capacity: address.output.count + 16)
        endpoint.bytes(address.output, field: 1)
        if isChecked, let port = host.healthCheckPort, port != host.port {
            var check = WireWriter()
            check.number(Int(port.value), field: 1)
            endpoint.bytes(check.output, field: 2)
        }
        var result = WireWriter(capacity: endpoint.output.count + text.utf8.count + 48)
        result.bytes(endpoint.output, field: 1)
        result.number(host.health.status.rawValue, field: 2)
        if host.host.isAddress || !isAlone { result.bytes(metadata(hashKey: text), field: 3) }
        return result.output
    }

    /// A `Metadata` with one `Struct` of one field.
    private static func metadata(hashKey text: String) -> [UInt8] {
        var value = WireWriter(capacity: text.utf8.count + 4)
        value.string(text, field: 3)
        var field = WireWriter(capacity: text.utf8.count + 24)
        field.string(hashKey, field: 1)
        field.bytes(value.output, field: 2)
        var content = WireWriter(capacity: text.utf8.count + 32)
        content.bytes(field.output, field: 1)
        var entry = WireWriter(capacity: text.utf8.count + 48)
        entry.string(filter, field: 1)
        entry.bytes(content.output, field: 2)
        var metadata = WireWriter(capacity: text.utf8.count + 64)
        metadata.bytes(entry.output, field: 1)
        return metadata.output
    }
}
