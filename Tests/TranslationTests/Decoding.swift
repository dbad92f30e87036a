import EnvoyAPI
import SwiftProtobuf
import XDS

extension EncodedResource {
    /// The message that an Envoy would read from the resource.
    func decoded<Message: SwiftProtobuf.Message>(as type: Message.Type = Message.self) throws -> Message {
        let response = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: deltaField)
        return try Message(unpackingAny: response.resources[0].resource)
    }
}
