import DequeModule
import EnvoyAPI
import GRPC
import SwiftProtobuf
import Transport

/// One RPC of `envoy.service.status.v3.ClientStatusDiscoveryService`: hands requests to the desk one after the other, and sends the
/// next answer when the last one has been read.
actor ClientStatusStream: RPCReceiver {
    /// The methods.
    enum Method: String, CaseIterable {
        case fetch = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus"
        case stream = "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus"
    }

    private struct Request {
        let filter: NodeFilter
        let includesContents: Bool
    }

    /// Requests that may wait for the answers of earlier ones.
    private static let waitingLimit = 16

    private nonisolated let responder: any RPCResponder
    private let loop: EventLoop
    private let method: Method
    private let desk: ClientStatusDesk
    private var waiting: Deque<Request> = []
    private var isAsking = false
    /// Bytes of the answer that is on its way, which the budget was charged for.
    private var unread = 0
    private var hasRequest = false
    private var isHalfClosed = false
    private var hasEnded = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(_ method: Method, responder: any RPCResponder, loop: EventLoop, desk: ClientStatusDesk) {
        self.method = method
        self.loop = loop
        self.responder = responder
        self.desk = desk
    }

    nonisolated func received(_ message: [UInt8]) { assumeIsolated { $0.take(message) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.takeEnd() } }
    nonisolated func drained() { assumeIsolated { $0.settle() } }
    nonisolated func shutdown() { assumeIsolated { $0.finish(Status(.unavailable, "the server ends this stream")) } }
    nonisolated func closed() { assumeIsolated { $0.end() } }

    private func take(_ message: [UInt8]) {
        guard !hasEnded, method == .stream || !hasRequest else { return }
        hasRequest = true
        do {
            let request = try Envoy_Service_Status_V3_ClientStatusRequest(serializedBytes: message)
            waiting.append(
                Request(filter: try NodeFilter(request.nodeMatchers), includesContents: !request.excludeResourceContents))
        } catch let error as NodeFilter.Unsupported {
            return finish(Status(.invalidArgument, error.message))
        } catch {
            return finish(Status(.invalidArgument, "not a ClientStatusRequest: \(error)"))
        }
        guard waiting.count <= Self.waitingLimit else {
            return finish(Status(.resourceExhausted, "more than \(Self.waitingLimit) requests wait: read the answers first"))
        }
        askNext()
    }

    private func takeEnd() {
        isHalfClosed = true
        if !hasRequest && method == .fetch { return finish(Status(.invalidArgument, "no ClientStatusRequest")) }
        askNext()
    }

    private func askNext() {
        guard !hasEnded, !isAsking, unread == 0 else { return }
        guard let request = waiting.popFirst() else {
            if isHalfClosed { finish(.ok) }
            return
        }
        isAsking = desk.submit(
            ClientStatusDesk.Inquiry(filter: request.filter, includesContents: request.includesContents, stream: self))
        if !isAsking { finish(Status(.resourceExhausted, "too many requests for client status wait: try again")) }
    }

    /// The desk has worked out an answer.
    func answered(_ answer: ClientStatusDesk.Answer) {
        isAsking = false
        guard !hasEnded else { return }
        switch answer {
        case .refusal(let status): finish(status)
        case .response(let bytes):
            let message = OutboundMessage(head: [], body: bytes)
            guard desk.unread.take(message.byteCount) else {
                return finish(Status(.resourceExhausted, "clients have not read earlier answers: try again"))
            }
            unread = message.byteCount
            responder.send(message)
            if method == .fetch { return finish(.ok) }
            // The transport writes when the tick ends, and says `drained` only of what it could not write then.
            loop.schedule(after: .zero) { [weak self] in self?.assumeIsolated { $0.settle() } }
        }
    }

    /// Goes on once the answer has left for the socket.
    private func settle() {
        guard responder.pendingByteCount == 0 else { return }
        giveBack()
        askNext()
    }

    private func finish(_ status: Status) {
        guard !hasEnded else { return }
        hasEnded = true
        responder.finish(status)
    }

    private func end() {
        hasEnded = true
        giveBack()
    }

    private func giveBack() {
        desk.unread.giveBack(unread)
        unread = 0
    }
}
