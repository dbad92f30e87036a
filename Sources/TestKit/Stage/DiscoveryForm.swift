/// The ways in which an Envoy may be connected.
public enum DiscoveryForm: String, CaseIterable, Sendable {
    /// One stream of changes.
    case delta
    /// One stream of whole states.
    case stateOfTheWorld
    /// A stream for each type, as the bootstraps of this operator's predecessor have it.
    case separateDelta
    /// The same, in whole states.
    case separateStateOfTheWorld

    /// The form's name on the command line of `bootstrap`.
    public var api: String {
        switch self {
        case .delta, .separateDelta: "delta"
        case .stateOfTheWorld, .separateStateOfTheWorld: "sotw"
        }
    }

    /// Turns a bootstrap for ADS into one for the separate services, where this form needs that.
    public func bootstrap(_ text: String) -> String {
        switch self {
        case .delta, .stateOfTheWorld: return text
        case .separateDelta, .separateStateOfTheWorld:
            let type = self == .separateDelta ? "DELTA_GRPC" : "GRPC"
            let source =
                "api_config_source: {api_type: \(type), transport_api_version: V3, set_node_on_first_message_only: true, "
                + "grpc_services: [{envoy_grpc: {cluster_name: xds_cluster}}]}"
            let withoutADS = text.replacing(#/\ {2}ads_config:\n(?:\ {4}.*\n)+/#, with: "")
            return withoutADS.replacing("ads: {}", with: source).replacing("name: xds-operator", with: "name: xds_cluster")
        }
    }
}
