/// The header and trailer sections of responses (gRPC over HTTP/2, "Responses").
public enum ResponseFields {
    /// The response headers that precede the first message.
    public static let head: [HeaderField] = [(":status", "200"), ("content-type", "application/grpc")]

    /// The trailers that end an RPC.
    public static func trailers(_ status: Status) -> [HeaderField] {
        var fields: [HeaderField] = [("grpc-status", String(status.code.rawValue))]
        if !status.message.isEmpty {
            fields.append(("grpc-message", StatusMessage.encode(status.message)))
        }
        if status.code == .unimplemented {
            fields.append(("grpc-accept-encoding", "identity"))
        }
        return fields
    }

    /// "Trailers-Only": an RPC that ends before any message was sent.
    public static func trailersOnly(_ status: Status) -> [HeaderField] {
        head + trailers(status)
    }

    /// The answer to a request that is not gRPC; `text` is for the person who tried.
    public static func httpError(status: Int, text: String) -> [HeaderField] {
        [(":status", String(status)), ("content-type", "application/grpc")] + trailers(Status(.invalidArgument, text))
    }
}
