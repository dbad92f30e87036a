/// One cause in the details of a Status.
struct StatusCause: Hashable, Sendable {
    var reason: String
    var message: String
    var field: String

    var value: JSONValue { ["reason": .string(reason), "message": .string(message), "field": .string(field)] }
}

/// A request that fails, as the Status that the API server answers with.
public struct StatusError: Error, Hashable, CustomStringConvertible {
    /// The HTTP status code.
    public var code: Int
    /// The reason for machines, such as `NotFound`.
    public var reason: String
    /// The message for people.
    public var message: String
    /// The `details` member.
    public var details: JSONValue?
    /// The value of the `Retry-After` header, in seconds.
    public var retryAfter: Int?
    /// A token in `metadata.continue`.
    public var continueToken: String?

    public var description: String { "\(code) \(reason): \(message)" }

    /// Makes an error.
    public init(_ code: Int, _ reason: String, _ message: String, details: JSONValue? = nil, retryAfter: Int? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retryAfter = retryAfter
    }

    /// The Status object.
    public var status: JSONValue {
        var status: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "code": .integer(Int64(code)),
        ]
        if !reason.isEmpty { status["reason"] = .string(reason) }
        status["details"] = details
        if let retryAfter { status["details", "retryAfterSeconds"] = .integer(Int64(retryAfter)) }
        if let continueToken { status["metadata", "continue"] = .string(continueToken) }
        return status
    }
}

extension StatusError {
    static func badRequest(_ message: String) -> StatusError { StatusError(400, "BadRequest", message) }

    static let unauthorized = StatusError(401, "Unauthorized", "Unauthorized")

    /// A path that no resource is served under.
    static let noSuchPath = StatusError(
        404, "NotFound", "the server could not find the requested resource", details: [:])

    static func notFound(_ type: ResourceType, _ name: String) -> StatusError {
        StatusError(404, "NotFound", "\(type.qualifiedName) \"\(name)\" not found", details: details(type, name))
    }

    static func alreadyExists(_ type: ResourceType, _ name: String) -> StatusError {
        StatusError(409, "AlreadyExists", "\(type.qualifiedName) \"\(name)\" already exists", details: details(type, name))
    }

    static func conflict(_ type: ResourceType, _ name: String, _ why: String) -> StatusError {
        StatusError(
            409, "Conflict", "Operation cannot be fulfilled on \(type.qualifiedName) \"\(name)\": \(why)",
            details: details(type, name))
    }

    static let staleVersion =
        "the object has been modified; please apply your changes to the latest version and try again"

    static func forbidden(_ type: ResourceType, _ name: String, _ why: String) -> StatusError {
        let subject = name.isEmpty ? type.qualifiedName : "\(type.qualifiedName) \"\(name)\""
        return StatusError(403, "Forbidden", "\(subject) is forbidden: \(why)", details: details(type, name))
    }

    static func invalid(_ type: ResourceType, _ name: String, _ causes: [StatusCause]) -> StatusError {
        let list = causes.map { "\($0.field): \($0.message)" }
        let text = list.count == 1 ? list[0] : "[\(list.joined(separator: ", "))]"
        return StatusError(
            422, "Invalid", "\(type.qualifiedKind) \"\(name)\" is invalid: \(text)",
            details: [
                "name": .string(name), "group": .string(type.group), "kind": .string(type.kind),
                "causes": .array(causes.map(\.value)),
            ])
    }

    static func expired(_ message: String) -> StatusError { StatusError(410, "Expired", message) }

    static func details(_ type: ResourceType, _ name: String) -> JSONValue {
        var details: JSONValue = ["kind": .string(type.plural)]
        if !name.isEmpty { details["name"] = .string(name) }
        if !type.group.isEmpty { details["group"] = .string(type.group) }
        return details
    }
}
