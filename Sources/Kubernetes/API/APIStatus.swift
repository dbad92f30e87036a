/// A `Status` object of `meta/v1`: why the API server refused a request, or ended a watch.
public struct APIStatus: Hashable, Sendable, CustomStringConvertible {
    /// One detail of a refusal.
    public struct Cause: Hashable, Sendable {
        /// A machine-readable reason, such as `FieldValueInvalid` or `ResourceVersionTooLarge`.
        public var reason: String
        /// A sentence for people.
        public var message: String
        /// The field concerned; empty where none is.
        public var field: String

        /// Makes a cause.
        public init(reason: String, message: String = "", field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// The HTTP status.
    public var code: Int
    /// A machine-readable reason, such as `Expired`, `Conflict` or `AlreadyExists`; empty where the server gives none.
    public var reason: String
    /// A sentence for people.
    public var message: String
    /// How long the server asks to wait; nil when it does not.
    public var retryAfterSeconds: Int?
    /// Details.
    public var causes: [Cause]

    /// Makes a status.
    public init(code: Int, reason: String = "", message: String = "", retryAfterSeconds: Int? = nil, causes: [Cause] = []) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
        self.causes = causes
    }

    /// Reads a `Status` in JSON or protobuf; nil when `body` is none.
    public init?(body: [UInt8]) {
        if body.starts(with: ProtobufEnvelope.magic) {
            guard let envelope = ProtobufEnvelope(body), envelope.kind == "Status" else { return nil }
            self.init(protobuf: envelope.object)
        } else {
            guard let value = try? JSONParser.parse(body) else { return nil }
            self.init(value)
        }
    }

    /// Reads a `Status`; nil when `value` is none.
    public init?(_ value: FieldValue) {
        guard value["kind"]?.text == "Status" else { return nil }
        let details = value["details"]
        let causes = details?["causes"]?.elements?.map { cause in
            Cause(
                reason: cause["reason"]?.text ?? "", message: cause["message"]?.text ?? "", field: cause["field"]?.text ?? "")
        }
        self.init(
            code: value["code"]?.number ?? 0, reason: value["reason"]?.text ?? "", message: value["message"]?.text ?? "",
            retryAfterSeconds: details?["retryAfterSeconds"]?.number, causes: causes ?? [])
    }

    /// What a failed response says: the body's `Status` where there is one. The HTTP status and the field `Retry-After`, in
    /// seconds, win over what the body says; a body that is no `Status` becomes the message, cut short.
    public init(httpStatus: Int, retryAfter: String?, body: [UInt8]) {
        self =
            APIStatus(body: body)
            ?? APIStatus(code: httpStatus, message: DiagnosticText.escaped(String(decoding: body.prefix(1024), as: UTF8.self)))
        code = httpStatus
        if let seconds = retryAfter.flatMap({ Int($0) }), seconds >= 0 { retryAfterSeconds = seconds }
    }

    /// Whether the resourceVersion or continue token is too old to be served (410, reason `Expired` or `Gone`).
    public var isExpired: Bool { code == 410 || reason == "Expired" || reason == "Gone" }

    /// Whether the resourceVersion is newer than what the server has seen (504; kubernetes#107133).
    public var isVersionTooLarge: Bool {
        code == 504
            && (causes.contains { $0.reason == "ResourceVersionTooLarge" } || message.contains("Too large resource version"))
    }

    public var description: String {
        let what = [code == 0 ? "" : "\(code)", reason].filter { !$0.isEmpty }.joined(separator: " ")
        return message.isEmpty ? what : what.isEmpty ? message : "\(what): \(message)"
    }
}

extension FieldValue {
    /// The number, where the value is a whole one that fits.
    var number: Int? {
        if case .integer(let number) = kind { Int(exactly: number) } else { nil }
    }
}
