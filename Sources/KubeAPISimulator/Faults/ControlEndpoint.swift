import Synchronization
import TestKit

/// Faults and counters for other processes, under `/simulator/` of the same port and without authentication.
///
/// - `POST /simulator/faults` `{"action": "fail", "verb": "list", "resource": "pods", "userAgent": "…", "times": 1, "code": 429,
///   "retryAfter": 1}`; actions: fail, hang, close, reset, truncate (`bytes`), trickle (`bytes`), delay (`milliseconds`), silence,
///   expire. `times` of null means for ever. `DELETE` removes all.
/// - `POST /simulator/watches` `{"action": "end", "resource": "pods"}`; actions as in `WatchDisturbance`.
/// - `POST /simulator/compact` forgets the history. `POST /simulator/restart` drops all connections; `{"compact": true}` both.
/// - `POST /simulator/settings` `{"clockSkew": 3600, "bookmarks": false, "bookmarkInterval": 1, "streamingListRefusal": 422,
///   "tokens": {"secret": "system:admin"}, "denials": [{"verb": "list", "resource": "pods"}]}`; what is left out stays.
/// - `POST /simulator/tls` makes new connections use the files as they are now, or others: `{"certificate": "…", "key": "…",
///   "clientAuthority": "…"}`.
/// - `POST /simulator/objects` `{"items": […]}` creates or replaces objects, validated by nothing.
/// - `GET /simulator/requests` shows the counters, `DELETE` resets them.
struct ControlEndpoint {
    let shared: SharedState

    func respond(to request: APIRequest) -> CompleteResponse {
        let body = request.body.isEmpty ? [:] : try? JSONValue(parsing: request.body)
        guard let body else { return CompleteResponse(.badRequest("the body is no JSON")) }
        switch (request.method, request.path) {
        case ("GET", "/simulator/requests"): return CompleteResponse(json: shared.log.value.value)
        case ("DELETE", "/simulator/requests"): shared.log.update { $0.counts = [:] }
        case ("POST", "/simulator/faults"):
            guard let fault = Fault(body) else { return CompleteResponse(.badRequest("unknown action")) }
            shared.state.withLock { $0.faults.append(fault) }
        case ("DELETE", "/simulator/faults"): shared.state.withLock { $0.faults = [] }
        case ("POST", "/simulator/watches"):
            guard let disturbance = WatchDisturbance(body["action"]?.text ?? "") else {
                return CompleteResponse(.badRequest("unknown action"))
            }
            shared.order(.disturb(disturbance, resource: body["resource"]?.text ?? "*"))
        case ("POST", "/simulator/compact"): shared.state.withLock { $0.server.store.compact() }
        case ("POST", "/simulator/restart"):
            if body["compact"]?.truth == true { shared.state.withLock { $0.server.store.compact() } }
            shared.order(.dropConnections)
        case ("POST", "/simulator/settings"): shared.state.withLock { $0.server.settings.change(body) }
        case ("POST", "/simulator/objects"):
            shared.withServer { server in for object in body["items"]?.elements ?? [] { server.storeUnchecked(object) } }
        case ("POST", "/simulator/tls"):
            do throws(TLSError) {
                try shared.use(TLSFiles(body))
            } catch {
                return CompleteResponse(.badRequest(error.description))
            }
        default: return CompleteResponse(.noSuchPath)
        }
        return CompleteResponse(json: [:])
    }
}

extension TLSFiles {
    fileprivate init?(_ value: JSONValue) {
        guard let certificate = value["certificate"]?.text, let key = value["key"]?.text else { return nil }
        self.init(certificate: certificate, key: key, clientAuthority: value["clientAuthority"]?.text)
    }
}

extension Fault {
    fileprivate init?(_ value: JSONValue) {
        let bytes = Int(clamping: value["bytes"]?.wholeNumber ?? 1)
        let action: Action
        switch value["action"]?.text {
        case "fail": action = .fail(Self.error(value))
        case "hang": action = .hang
        case "close": action = .close
        case "reset": action = .reset
        case "truncate": action = .truncate(after: bytes)
        case "trickle": action = .trickle(bytes: bytes)
        case "delay": action = .delay(.milliseconds(value["milliseconds"]?.wholeNumber ?? 1000))
        case "silence": action = .silence
        case "expire": action = .watchError(.gone)
        default: return nil
        }
        let match = RequestMatch(
            verb: value["verb"]?.text, resource: value["resource"]?.text, userAgent: value["userAgent"]?.text)
        let times = value["times"] == .null ? nil : Int(clamping: value["times"]?.wholeNumber ?? 1)
        self.init(action, on: match, times: times)
    }

    private static func error(_ value: JSONValue) -> StatusError {
        let retryAfter = value["retryAfter"]?.wholeNumber.map { Int(clamping: $0) }
        switch value["code"]?.wholeNumber ?? 500 {
        case 429: return .tooManyRequests(retryAfter: retryAfter ?? 1)
        case 410: return .gone
        case 503: return .unavailable
        case 500: return .internalError
        case let code:
            return StatusError(
                Int(clamping: max(100, min(code, 599))), value["reason"]?.text ?? "", value["message"]?.text ?? "scripted",
                retryAfter: retryAfter)
        }
    }
}

extension WatchDisturbance {
    fileprivate init?(_ name: String) {
        let all: [String: WatchDisturbance] = [
            "end": .end, "close": .close, "reset": .reset, "silence": .silence, "truncate": .truncate, "trickle": .trickle,
            "expire": .expire, "bookmark": .bookmark,
        ]
        guard let disturbance = all[name] else { return nil }
        self = disturbance
    }
}

extension APISettings {
    fileprivate mutating func change(_ value: JSONValue) {
        if let skew = value["clockSkew"]?.wholeNumber { clockSkew = Double(skew) }
        if let sends = value["bookmarks"]?.truth { sendsBookmarks = sends }
        if let interval = value["bookmarkInterval"]?.wholeNumber { bookmarkInterval = Double(max(1, interval)) }
        if let refusal = value["streamingListRefusal"] { streamingListRefusal = refusal.wholeNumber.map { Int(clamping: $0) } }
        if let tokens = value["tokens"]?.members { users = tokens.compactMapValues(\.text) }
        if let list = value["denials"]?.elements {
            denials = list.map {
                Denial(verb: $0["verb"]?.text ?? "*", resource: $0["resource"]?.text ?? "*", user: $0["user"]?.text)
            }
        }
    }
}
