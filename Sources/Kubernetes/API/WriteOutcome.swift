/// What a write to the API came to, as far as it matters for what to do next.
public enum WriteOutcome: Hashable, Sendable {
    /// It is written; the object's new version, where the answer gives one.
    case written(resourceVersion: String?)
    /// The object has moved on, or a test did not hold: decide anew from its newer state.
    case conflict
    /// The object is gone.
    case gone
    /// The installed schema, or its lack of the status subresource, makes every such write fail.
    case unsupported(String)
    /// The server will not take this; the same content would fail again.
    case refused(String)
    /// The account may not do this: say so, and try again later.
    case forbidden(String)
    /// The server can't now: try again, not before the given time has passed where the server gives one.
    case unavailable(after: Duration?, String)

    /// Reads a response to a write.
    /// - Parameter hasTests: whether it was a JSON patch with tests: the server answers 422 if one does not hold.
    public init(_ response: APIResponse, hasTests: Bool = false) {
        // Nearly every write succeeds, and its answer is the whole object: of that nothing else is read.
        guard !response.isSuccess else {
            self = .written(resourceVersion: JSONParser.text(at: ["metadata", "resourceVersion"], in: response.body))
            return
        }
        let status = APIStatus(body: response.body)
        let message = status?.message ?? "HTTP \(response.status)"
        switch response.status {
        case 404 where message.contains("could not find the requested resource"): self = .unsupported(message)
        case 404, 410: self = .gone
        case 409: self = .conflict
        case 422 where hasTests: self = .conflict
        case 401, 403: self = .forbidden(message)
        // A failed typed patch is answered by 500 although it will never succeed.
        case 500 where message.contains("field not declared in schema"): self = .unsupported(message)
        case 408, 429, 500...599:
            let header = response.headers.first { $0.name.lowercased() == "retry-after" }.flatMap { Int($0.value) }
            let seconds = (header ?? status?.retryAfterSeconds).map { min(max($0, 0), 3600) }
            self = .unavailable(after: seconds.map { .seconds($0) }, message)
        default: self = .refused(message)
        }
    }
}
