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
        let frames = hosts.map { HostFrame($0, isChecked: cluster.healthCheck != nil, isAlone: hosts.count == 1) }
        let localitySize = frames.reduce(0) { $0 + WireWriter.fieldSize(ofLength: $1.size, field: 2) }
        let nameSize = WireWriter.fieldSize(ofLength: cluster.name.utf8.count, field: 1)
        var assignment = WireWriter(capacity: nameSize + WireWriter.fieldSize(ofLength: localitySize, field: 2))
        assignment.string(cluster.name, field: 1)
        guard !frames.isEmpty else { return assignment.output }
        assignment.header(field: 2, length: localitySize)
        for frame in frames { frame.write(to: &assignment) }
        return assignment.output
    }

    /// The sizes of one host's `LbEndpoint` and of what is nested in it, each of which precedes its content: so that all is written in one go.
    private struct HostFrame {
        private let text: String
        private let port: Int
        /// The port of health checks, where it is another one; else 0.
        private let checkPort: Int
        private let health: Int
        private let hasMetadata: Bool

        private let socketAddressSize: Int
        private let addressSize: Int
        private let checkSize: Int
        private let endpointSize: Int
        /// The sizes of `Metadata`, its entry, the `Struct` in that, its field, and that field's value.
        private let metadataSizes: (metadata: Int, entry: Int, content: Int, field: Int, value: Int)
        let size: Int

        init(_ host: ResolvedEndpoint, isChecked: Bool, isAlone: Bool) {
            text = host.host.text
            port = Int(host.port.value)
            checkPort = isChecked ? host.healthCheckPort.map { $0 == host.port ? 0 : Int($0.value) } ?? 0 : 0
            health = host.health.status.rawValue
            hasMetadata = host.host.isAddress || !isAlone

            let textSize = text.utf8.count
            func fieldSize(_ length: Int, _ field: Int) -> Int { WireWriter.fieldSize(ofLength: length, field: field) }
            socketAddressSize = fieldSize(textSize, 2) + WireWriter.numberSize(port, field: 3)
            addressSize = fieldSize(socketAddressSize, 1)
            checkSize = WireWriter.numberSize(checkPort, field: 1)
            endpointSize = fieldSize(addressSize, 1) + (checkPort == 0 ? 0 : fieldSize(checkSize, 2))
            let value = fieldSize(textSize, 3)
            let field = fieldSize(AssignmentEncoding.hashKey.utf8.count, 1) + fieldSize(value, 2)
            let content = fieldSize(field, 1)
            let entry = fieldSize(AssignmentEncoding.filter.utf8.count, 1) + fieldSize(content, 2)
            metadataSizes = (fieldSize(entry, 1), entry, content, field, value)
            size =
                fieldSize(endpointSize, 1) + WireWriter.numberSize(health, field: 2)
                + (hasMetadata ? fieldSize(metadataSizes.metadata, 3) : 0)
        }

        func write(to writer: inout WireWriter) {
            writer.header(field: 2, length: size)
            writer.header(field: 1, length: endpointSize)
            writer.header(field: 1, length: addressSize)
            writer.header(field: 1, length: socketAddressSize)
            writer.string(text, field: 2)
            writer.number(port, field: 3)
            if checkPort != 0 {
                writer.header(field: 2, length: checkSize)
                writer.number(checkPort, field: 1)
            }
            writer.number(health, field: 2)
            guard hasMetadata else { return }
            // A `Metadata` with one `Struct` of one field.
            writer.header(field: 3, length: metadataSizes.metadata)
            writer.header(field: 1, length: metadataSizes.entry)
            writer.string(AssignmentEncoding.filter, field: 1)
            writer.header(field: 2, length: metadataSizes.content)
            writer.header(field: 1, length: metadataSizes.field)
            writer.string(AssignmentEncoding.hashKey, field: 1)
            writer.header(field: 2, length: metadataSizes.value)
            writer.string(text, field: 3)
        }
    }
}
