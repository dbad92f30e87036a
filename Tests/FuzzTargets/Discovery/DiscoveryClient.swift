import EnvoyAPI
import SwiftProtobuf
import XDS

/// A response, as far as a client needs it to answer.
struct ReceivedResponse {
    let typeURL: String
    let version: String
    let nonce: String
    /// What it carries or takes away.
    let names: [String]
}

/// What the two forms of the protocol make different for a client.
protocol DiscoveryClient {
    /// Reads a response; nil when it is none, or speaks of a resource twice.
    func read(_ bytes: [UInt8]) -> ReceivedResponse?
    /// Notes a request that was sent, whatever it is.
    mutating func sent(_ request: [UInt8])
    /// Answers a response, in the client's words when it rejects it.
    func answer(_ response: ReceivedResponse, rejection: String?) throws -> [UInt8]
}

struct DeltaClient: DiscoveryClient {
    func read(_ bytes: [UInt8]) -> ReceivedResponse? {
        guard let response = try? Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes) else { return nil }
        let names = response.resources.map(\.name) + response.removedResources
        guard Set(names).count == names.count else { return nil }
        return ReceivedResponse(
            typeURL: response.typeURL, version: response.systemVersionInfo, nonce: response.nonce, names: names)
    }

    mutating func sent(_ request: [UInt8]) {}

    func answer(_ response: ReceivedResponse, rejection: String?) throws -> [UInt8] {
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = response.typeURL
        request.responseNonce = response.nonce
        if let rejection { request.errorDetail.message = rejection }
        return try request.serializedBytes()
    }
}

struct WorldClient: DiscoveryClient {
    /// The names of the last request of each type, which an answer repeats.
    private var names: [String: [String]] = [:]

    func read(_ bytes: [UInt8]) -> ReceivedResponse? {
        guard let response = try? Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: bytes) else { return nil }
        // What the resources are called is theirs to know; here they say so at their beginning.
        let contents = response.resources.map { String(decoding: $0.value, as: UTF8.self) }
        guard Set(contents).count == contents.count else { return nil }
        return ReceivedResponse(
            typeURL: response.typeURL, version: response.versionInfo, nonce: response.nonce,
            names: contents.map { String($0.prefix { $0 != "=" }) })
    }

    mutating func sent(_ request: [UInt8]) {
        guard let request = try? Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: request) else { return }
        names[request.typeURL] = request.resourceNames
    }

    func answer(_ response: ReceivedResponse, rejection: String?) throws -> [UInt8] {
        var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
        request.typeURL = response.typeURL
        request.versionInfo = rejection == nil ? response.version : ""
        request.resourceNames = names[response.typeURL] ?? []
        request.responseNonce = response.nonce
        if let rejection { request.errorDetail.message = rejection }
        return try request.serializedBytes()
    }
}
