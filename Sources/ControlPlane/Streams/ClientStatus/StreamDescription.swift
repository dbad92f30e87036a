import EnvoyAPI
import SwiftProtobuf
import Translation
import XDS

/// A stream and its client at one moment.
struct StreamDescription: Sendable {
    let nodeID: String
    let nodeCluster: String
    /// The client's address and port.
    let peer: String
    let method: DiscoveryMethod
    let account: StreamAccount

    var variant: ConnectionVariant { method.variant }

    /// What the stream is for, in words: a client may have several.
    var scope: String {
        let form =
            switch method.form {
            case .delta: "delta"
            case .stateOfTheWorld: "state of the world"
            case .unary: "unary"
            }
        let service = method.type.map { "\($0) discovery" } ?? "aggregated discovery"
        let waiting = account.group == nil ? "; waits: no known pod has this node id" : ""
        return "\(service), \(form), from \(peer)\(waiting)"
    }

    /// The fields of a `ClientConfig` that say which client it is.
    func head() throws -> [UInt8] {
        var config = Envoy_Service_Status_V3_ClientConfig()
        config.node.id = nodeID
        config.node.cluster = nodeCluster
        config.clientScope = scope
        return try config.serializedBytes()
    }
}
