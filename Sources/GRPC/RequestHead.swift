/// The header section of a request, once it has been found to open an RPC.
public struct RequestHead: Sendable {
    /// The method, `/package.Service/Method`.
    public let path: String
    /// The fields that are no pseudo-fields, in order of arrival.
    public let metadata: [HeaderField]

    /// What is wrong with a header section.
    public enum Fault: Error, Hashable, Sendable {
        /// Not gRPC at all: the answer is this HTTP status with a line of text.
        case http(status: Int, text: String)
        /// gRPC, but no RPC of ours: the answer is these trailers.
        case rpc(Status)
    }

    /// Checks the fields of a request (gRPC over HTTP/2, "Requests").
    ///
    /// `te: trailers` is not demanded: proxies strip it, and nothing here depends on it.
    public init(_ fields: [HeaderField]) throws(Fault) {
        var method: String?
        var path: String?
        var contentType: String?
        var metadata: [HeaderField] = []
        metadata.reserveCapacity(fields.count)
        for field in fields {
            switch field.name {
            case ":method": method = field.value
            case ":path": path = field.value
            default:
                if field.name == "content-type" { contentType = field.value }
                if !field.name.hasPrefix(":") { metadata.append(field) }
            }
        }
        guard method == "POST" else {
            throw .http(status: 405, text: "this port speaks gRPC: the method must be POST")
        }
        guard let contentType, Self.isGRPC(contentType) else {
            throw .http(status: 415, text: "this port speaks gRPC: content-type must be application/grpc")
        }
        guard let path, Self.isMethodPath(path) else {
            throw .rpc(Status(.unimplemented, "the path must be /package.Service/Method"))
        }
        self.path = path
        self.metadata = metadata
    }

    private static func isGRPC(_ contentType: String) -> Bool {
        let mediaType = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        return mediaType == "application/grpc" || mediaType == "application/grpc+proto"
    }

    private static func isMethodPath(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].isEmpty && !parts[1].isEmpty && !parts[2].isEmpty
    }
}

extension RequestHead.Fault {
    /// The fields of the answer, which ends the stream.
    public var response: [HeaderField] {
        switch self {
        case .http(let status, let text): ResponseFields.httpError(status: status, text: text)
        case .rpc(let status): ResponseFields.trailersOnly(status)
        }
    }
}
