import EnvoyAPI
import SwiftProtobuf
package import XDS

/// A stream in the state-of-the-world form.
package final class WorldForm: StreamForm {
    private var machine: WorldDiscoveryStateMachine

    /// Makes the state of a new stream.
    /// - Parameter isAggregated: whether all types come by this stream (ADS).
    package init(isAggregated: Bool) { machine = WorldDiscoveryStateMachine(isAggregated: isAggregated) }

    package var inFlightCount: Int { machine.inFlightCount }
    package var progress: StreamProgress { machine.progress }
    package var account: StreamAccount { machine.account }
    package var hasAddressConflicts: Bool { machine.hasAddressConflicts }
    package func nameByteCount(nameCost: Int) -> Int { machine.nameByteCount(nameCost: nameCost) }

    package func decode(_ message: [UInt8], nameLimit: Int, needsNode: Bool) throws -> StreamRequest {
        let answer = needsNode ? nil : BareAnswer(message, .stateOfTheWorld)
        // An Envoy with 4,000 clusters repeats their names with each acknowledgement of endpoints.
        if let answer, let mark = answer.namesMark, mark == machine.namesMarks[answer.type] {
            let request = WorldRequest(
                typeURL: answer.type.typeURL, version: answer.version, names: nil, nonce: answer.nonce)
            return StreamRequest(content: .stateOfTheWorld(request), isAnswer: true)
        }
        let scan = try RequestScan(message, .stateOfTheWorld, nameLimit: nameLimit)
        let request = try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: message, options: .requests)
        return StreamRequest(
            content: .stateOfTheWorld(WorldRequest(request, namesMark: answer?.namesMark)), nodeID: request.node.id,
            nodeCluster: request.node.cluster, isAnswer: !request.responseNonce.isEmpty, nameCount: scan.nameCount)
    }

    /// What an answer leads to depends on the names that come with it.
    package func acknowledged(_ message: [UInt8], of type: ResourceType?) -> [DeltaAction]? { nil }

    package func received(_ request: StreamRequest) -> [DeltaAction] {
        if case .stateOfTheWorld(let request) = request.content { machine.received(request) } else { [] }
    }

    package func assigned(_ position: Position) -> [DeltaAction] { machine.assigned(position) }
    package func updated(_ update: GroupUpdate) -> [DeltaAction] { machine.updated(update) }
    package func answered(_ results: [FetchResult]) -> [DeltaAction] { machine.answered(results) }
    package func graceElapsed() -> [DeltaAction] { machine.graceElapsed() }
    package func addressPauseElapsed() -> [DeltaAction] { machine.addressPauseElapsed() }
}

extension WorldRequest {
    init(_ request: Envoy_Service_Discovery_V3_DiscoveryRequest, namesMark: Int? = nil) {
        self.init(
            typeURL: request.typeURL, version: request.versionInfo, names: request.resourceNames, namesMark: namesMark,
            nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message.limited(toBytes: StreamLimits.rejectionBytes) : nil)
    }
}
