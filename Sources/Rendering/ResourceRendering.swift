import EnvoyAPI
import SwiftProtobuf
public import XDS
import Yams

/// Encoded resources as text for people, in the form of Envoy's own configuration: field names of the API, and the type of the
/// resource and of each packed message in `@type`. A list of them is what a `path_config_source` file has under `resources`.
public enum ResourceRendering {
    /// One resource as a JSON object.
    /// - Throws: `BinaryDecodingError` or `JSONEncodingError` of SwiftProtobuf for bytes that are no resource of the given type.
    public static func json(_ resource: EncodedResource) throws -> String {
        _ = packedTypes
        // What a resource keeps of itself is one `resources` field of a delta response, which is a whole response too.
        let response = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: resource.deltaField)
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.useDeterministicOrdering = true
        return try (response.resources.first ?? .init()).resource.jsonString(options: options)
    }

    /// Several resources as a JSON array, one resource a line.
    /// - Throws: as for one resource.
    public static func json(_ resources: some Sequence<EncodedResource>) throws -> String {
        let lines = try resources.map(json)
        return lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }

    /// One resource as a YAML mapping.
    /// - Throws: as for JSON.
    public static func yaml(_ resource: EncodedResource) throws -> String {
        try blockStyle(json(resource))
    }

    /// Several resources as a YAML sequence.
    /// - Throws: as for JSON.
    public static func yaml(_ resources: some Sequence<EncodedResource>) throws -> String {
        try blockStyle(json(resources))
    }

    /// JSON is YAML: read as such, it keeps the order of its keys.
    private static func blockStyle(_ json: String) throws -> String {
        guard let node = try Yams.compose(yaml: json) else { return "" }
        return try Yams.serialize(node: node.inBlockStyle, width: -1, allowUnicode: true)
    }

    /// The messages that can stand in an `Any`, registered once for their JSON form.
    private static let packedTypes: Void = {
        let types: [any Message.Type] = [
            Envoy_Config_Cluster_V3_Cluster.self,
            Envoy_Config_Endpoint_V3_ClusterLoadAssignment.self,
            Envoy_Config_Listener_V3_Listener.self,
            Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self,
            Envoy_Extensions_Filters_Udp_UdpProxy_V3_Route.self,
            Envoy_Extensions_Filters_Udp_UdpProxy_V3_UdpProxyConfig.self,
        ]
        for type in types { _ = Google_Protobuf_Any.register(messageType: type) }
    }()
}

extension Node {
    /// The node with one key or item a line; strings go without quotes where that leaves them strings.
    fileprivate var inBlockStyle: Node {
        switch self {
        case .mapping(let mapping):
            let pairs = mapping.map { ($0.key.inBlockStyle, $0.value.inBlockStyle) }
            return .mapping(.init(pairs, .implicit, pairs.isEmpty ? .flow : .block))
        case .sequence(let sequence):
            return .sequence(.init(sequence.map(\.inBlockStyle), .implicit, sequence.isEmpty ? .flow : .block))
        case .scalar(let scalar):
            guard scalar.style == .doubleQuoted, scalar.string.isPlainString else { return self }
            return .scalar(.init(scalar.string, .implicit, .plain))
        case .alias:
            return self
        }
    }
}

extension String {
    /// Whether the text without quotes is a string to every YAML reader: a word that none takes for a boolean or null, an IPv4
    /// address, or a duration.
    fileprivate var isPlainString: Bool {
        guard let first = utf8.first, let last = utf8.last, utf8.allSatisfy({ String.isLetter($0) || String.isInner($0) }) else {
            return false
        }
        guard String.isLetter(first) else {
            let isNumeric = utf8.dropLast().allSatisfy { String.isDigit($0) || $0 == UInt8(ascii: ".") }
            let dots = utf8.count { $0 == UInt8(ascii: ".") }
            return String.isDigit(first) && isNumeric && (last == UInt8(ascii: "s") || dots == 3 && String.isDigit(last))
        }
        return !["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(lowercased())
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isInner(_ byte: UInt8) -> Bool { isDigit(byte) || "-_./".utf8.contains(byte) }
}
