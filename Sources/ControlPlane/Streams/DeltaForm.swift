import EnvoyAPI
import SwiftProtobuf
package import XDS

/// A stream in the delta form.
package final class DeltaForm: StreamForm {
    private var machine = DeltaDiscoveryStateMachine()

    /// Makes the state of a new stream.
    package init() {}

    package var inFlightCount: Int { machine.inFlightCount }
    package var progress: StreamProgress { machine.progress }
    package var account: StreamAccount { machine.account }
    package var hasAddressConflicts: Bool { machine.hasAddressConflicts }
    package func nameByteCount(nameCost: Int) -> Int { machine.nameByteCount(nameCost: nameCost) }

    package func decode(_ message: [UInt8], nameLimit: Int, needsNode: Bool) throws -> StreamRequest {
        let scan = try RequestScan(message, .delta, nameLimit: nameLimit)
        let request = try Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: message, options: .requests)
        return StreamRequest(
            content: .delta(DeltaRequest(request)), nodeID: request.node.id, nodeCluster: request.node.cluster,
            isAnswer: !request.responseNonce.isEmpty, nameCount: scan.nameCount)
    }

    package func acknowledged(_ message: [UInt8], of type: ResourceType?) -> [DeltaAction]? {
        guard let answer = BareAnswer(message, .delta), type == nil || type == answer.type else { return nil }
        return machine.acknowledged(answer.type, nonce: answer.nonce)
    }

    package func received(_ request: StreamRequest) -> [DeltaAction] {
        if case .delta(let request) = request.content { machine.received(request) } else { [] }
    }

    package func assigned(_ position: Position) -> [DeltaAction] { machine.assigned(position) }
    package func updated(_ update: GroupUpdate) -> [DeltaAction] { machine.updated(update) }
    package func answered(_ results: [FetchResult]) -> [DeltaAction] { machine.answered(results) }
    package func graceElapsed() -> [DeltaAction] { machine.graceElapsed() }
    package func addressPauseElapsed() -> [DeltaAction] { machine.addressPauseElapsed() }
}

extension DeltaRequest {
    init(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) {
        self.init(
            typeURL: request.typeURL, subscribe: request.resourceNamesSubscribe, unsubscribe: request.resourceNamesUnsubscribe,
            held: HeldResources(request.initialResourceVersions), nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message.limited(toBytes: StreamLimits.rejectionBytes) : nil)
    }
}

extension BinaryDecodingOptions {
    /// Envoy's node is some 60 KB, most of it fields that nobody reads.
    static var requests: BinaryDecodingOptions {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        return options
    }
}
