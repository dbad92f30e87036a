/// The form in which a client wants objects.
enum Representation: Sendable {
    case json
    case table(TableOptions)
    /// Objects reduced to their metadata.
    case metadata
    case protobuf

    /// The first form in `Accept` that the server knows.
    init(_ request: APIRequest, _ type: ResourceType) throws(StatusError) {
        let accept = request.headers["accept"] ?? "*/*"
        for option in accept.split(separator: ",") {
            let parts = option.split(separator: ";").map { String($0).trimmed }
            let parameters = Set(parts.dropFirst())
            switch parts.first {
            case "application/vnd.kubernetes.protobuf" where parameters.allSatisfy({ !$0.hasPrefix("as=") }):
                if ProtobufFrames.serves(type) {
                    self = .protobuf
                    return
                }
            case "application/json", "*/*", "application/*":
                if parameters.contains("as=Table"), parameters.contains("v=v1") {
                    self = .table(TableOptions(request))
                } else if parameters.contains("as=PartialObjectMetadata") || parameters.contains("as=PartialObjectMetadataList") {
                    self = .metadata
                } else if parameters.contains(where: { $0.hasPrefix("as=") }) {
                    continue
                } else {
                    self = .json
                }
                return
            default: continue
            }
        }
        throw StatusError(
            406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml", details: [:])
    }
}
