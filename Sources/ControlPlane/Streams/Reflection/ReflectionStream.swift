import EnvoyAPI
import GRPC
import SwiftProtobuf
import Transport

/// One RPC of gRPC server reflection, by which tools learn what this server has (gRPC Server Reflection Protocol).
///
/// The alpha and the final form of the service differ in their name alone.
actor ReflectionStream: RPCReceiver {
    private typealias Answer = Grpc_Reflection_V1_ServerReflectionResponse

    /// The paths of both forms.
    static let paths: Set<String> = [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]

    /// Bytes that a client may leave unread while it goes on asking.
    private static let unreadLimit = 1 << 20

    private nonisolated let responder: any RPCResponder
    private let index: ReflectionIndex
    private var hasEnded = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { responder.executor.asUnownedSerialExecutor() }

    init(responder: any RPCResponder, index: ReflectionIndex = .embedded) {
        self.responder = responder
        self.index = index
    }

    nonisolated func received(_ message: [UInt8]) { assumeIsolated { $0.take(message) } }
    nonisolated func receivedEnd() { assumeIsolated { $0.finish(.ok) } }
    nonisolated func drained() {}
    nonisolated func shutdown() { assumeIsolated { $0.finish(Status(.unavailable, "the server ends this stream")) } }
    nonisolated func closed() { assumeIsolated { $0.hasEnded = true } }

    private func take(_ message: [UInt8]) {
        guard !hasEnded else { return }
        guard responder.pendingByteCount <= Self.unreadLimit else {
            return finish(Status(.resourceExhausted, "answers are not read"))
        }
        do {
            let request = try Grpc_Reflection_V1_ServerReflectionRequest(serializedBytes: message)
            var response = Answer()
            response.validHost = request.host
            response.originalRequest = request
            response.messageResponse = answer(request)
            responder.send(OutboundMessage(head: [], body: try response.serializedBytes()))
        } catch {
            finish(Status(.invalidArgument, "not a ServerReflectionRequest: \(error)"))
        }
    }

    private func answer(_ request: Grpc_Reflection_V1_ServerReflectionRequest) -> Answer.OneOf_MessageResponse {
        switch request.messageRequest {
        case .fileByFilename(let name): files(index.closure(ofFile: name), "no file \(name)")
        case .fileContainingSymbol(let symbol): files(index.closure(ofSymbol: symbol), "no symbol \(symbol)")
        case .fileContainingExtension(let request): failure(.notFound, "\(request.containingType) has no extensions")
        case .allExtensionNumbersOfType(let name):
            index.hasMessage(name)
                ? .allExtensionNumbersResponse(.with { $0.baseTypeName = name }) : failure(.notFound, "no message \(name)")
        case .listServices:
            .listServicesResponse(.with { $0.service = index.services.map { name in .with { $0.name = name } } })
        case nil: failure(.invalidArgument, "the request asks nothing")
        }
    }

    private func files(_ files: [[UInt8]]?, _ message: String) -> Answer.OneOf_MessageResponse {
        guard let files else { return failure(.notFound, message) }
        return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files.map { .init($0) } })
    }

    private func failure(_ code: Status.Code, _ message: String) -> Answer.OneOf_MessageResponse {
        .errorResponse(
            .with {
                $0.errorCode = Int32(code.rawValue)
                $0.errorMessage = message
            })
    }

    private func finish(_ status: Status) {
        guard !hasEnded else { return }
        hasEnded = true
        responder.finish(status)
    }
}
