import CLinux
import Foundation
import Glibc
import Synchronization
public import TestKit

/// Stands in for kube-apiserver: serves its HTTP API on loopback, keeps objects in memory, and fails as told.
///
/// Every method may be called from any task or thread. The server ends when the last reference goes.
public final class KubeAPISimulator: Sendable {
    /// `host:port`.
    public let address: String
    /// The base URL, without a path.
    public let url: String
    /// The token of the administrator; nil when no token is asked for.
    public let token: String?
    private let shared: SharedState

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - host: the loopback address to listen on.
    ///   - port: 0 for one that is free.
    ///   - token: what clients must present; without one, everyone is the administrator.
    ///   - tls: the files by which it speaks TLS; nil for plain HTTP.
    ///   - definitions: CustomResourceDefinitions that are served from the start.
    ///   - objects: what is there before the first client comes, as another server returned it.
    /// - Throws: `SystemError` when it can't listen, `TLSError` when the files aren't right, `StatusError` when a definition is refused.
    public init(
        host: String = "127.0.0.1", port: UInt16 = 0, token: String? = nil, tls: TLSFiles? = nil, definitions: [JSONValue] = [],
        objects: [JSONValue] = []
    ) throws {
        let context = try tls.map { try TLSContext($0) }
        var server = APIServer(now: SharedState.clock())
        server.settings.asksForCertificates = tls?.clientAuthority != nil
        server.restore(objects)
        if let token { server.settings.users[token] = "system:admin" }
        let (listener, chosen) = try ListeningSocket.open(ListeningAddress(host: host, port: port))
        let wake = eventfd(0, CInt(EFD_CLOEXEC))
        guard wake >= 0 else { throw SystemError("eventfd") }
        let listening = ListeningAddress(host: host, port: chosen)
        shared = SharedState(server: server, tls: context, address: listening, wake: wake)
        address = listening.text
        url = "\(tls == nil ? "http" : "https")://\(listening.text)"
        self.token = token
        let shared = shared
        let thread = Thread {
            ServerThread(state: shared, listener: listener, wake: wake).run()
        }
        thread.name = "kube-api"
        thread.start()
        for definition in definitions { try create(definition) }
    }

    deinit { shared.order(.stop) }

    /// Stops the server and closes its connections.
    public func stop() async throws {
        shared.order(.stop)
        _ = try await shared.hasStopped.wait(for: "the end of the API simulator", within: .seconds(10)) { $0 ? true : nil }
    }

    /// A kubeconfig for the administrator, or for the user of `token`, which trusts what the file of the server's certificate holds.
    public func kubeconfig(token: String? = nil) -> String {
        let certificate = shared.tls.flatMap { try? Data(contentsOf: URL(fileURLWithPath: $0.files.certificate)) }
        let trust = certificate.map { ", certificate-authority-data: \($0.base64EncodedString())" } ?? ""
        let user = (token ?? self.token).map { "{token: \"\($0)\"}" } ?? "{}"
        return """
            apiVersion: v1
            kind: Config
            current-context: simulator
            clusters: [{name: simulator, cluster: {server: "\(url)"\(trust)}}]
            users: [{name: simulator, user: \(user)}]
            contexts: [{name: simulator, context: {cluster: simulator, user: simulator}}]

            """
    }

    // MARK: Requests

    /// Performs a request as the administrator without HTTP would, and returns its status code and JSON; watches aren't possible.
    ///
    /// Neither faults nor counters see it.
    @discardableResult
    public func request(
        _ method: String, _ target: String, contentType: String = "application/json", body: JSONValue? = nil
    ) -> (code: Int, body: JSONValue) {
        let headers = ["content-type": contentType, "user-agent": "simulator"]
        var request = APIRequest(method, target, headers: headers, body: body?.encoded ?? [])
        request.certificateUser = "system:admin"
        let response = shared.withServer { $0.respond(to: request) }
        guard case .complete(let complete) = response else { return (400, .null) }
        return (complete.code, (try? JSONValue(parsing: complete.body)) ?? .null)
    }

    /// Creates an object, whose kind and namespace say where; `status` is stored as well, unlike by a client.
    ///
    /// - Throws: `StatusError`.
    @discardableResult
    public func create(_ object: JSONValue) throws -> JSONValue {
        let path = try path(of: object, withName: false)
        let created = try checked(request("POST", path, body: object))
        guard let status = object["status"], let name = created["metadata", "name"]?.text, created["status"] != status else {
            return created
        }
        return try checked(
            request("PATCH", "\(path)/\(name)/status", contentType: "application/merge-patch+json", body: ["status": status]))
    }

    /// Creates or replaces many objects at once, validated by nothing; `status` is stored as well.
    public func createUnchecked(_ objects: some Sequence<JSONValue> & Sendable) {
        shared.withServer { server in
            for object in objects { server.storeUnchecked(object) }
        }
    }

    /// The object of this kind; nil when there is none.
    public func get(_ kind: String, _ name: String, namespace: String = "default") -> JSONValue? {
        shared.withServer { server in
            guard let type = server.types.first(where: { $0.kind == kind }) else { return nil }
            return server.store.object(type, namespace: type.isNamespaced ? namespace : "", name: name)?.value(as: type)
        }
    }

    /// Applies a merge patch to an object, or to its status.
    ///
    /// - Throws: `StatusError`.
    @discardableResult
    public func patch(
        _ kind: String, _ name: String, namespace: String = "default", _ patch: JSONValue, subresource: String? = nil
    ) throws -> JSONValue {
        let path = try path(kind, name, namespace) + (subresource.map { "/\($0)" } ?? "")
        return try checked(request("PATCH", path, contentType: "application/merge-patch+json", body: patch))
    }

    /// Deletes an object; with a grace period of 0 also a pod on a node.
    ///
    /// - Throws: `StatusError`.
    public func delete(_ kind: String, _ name: String, namespace: String = "default", gracePeriodSeconds: Int? = nil) throws {
        let query = gracePeriodSeconds.map { "?gracePeriodSeconds=\($0)" } ?? ""
        try checked(request("DELETE", path(kind, name, namespace) + query))
    }

    /// The objects of a kind in the order of a list.
    public func list(_ kind: String, namespace: String? = nil) -> [JSONValue] {
        shared.withServer { server in
            guard let type = server.types.first(where: { $0.kind == kind }) else { return [] }
            let objects = server.store[type].objects
            return server.store[type].keys().compactMap { objects[$0] }
                .filter { namespace == nil || $0.namespace == namespace }.map { $0.value(as: type) }
        }
    }

    /// The present resource version.
    public var resourceVersion: String { shared.withServer { String($0.store.revision) } }

    @discardableResult
    private func checked(_ answer: (code: Int, body: JSONValue)) throws -> JSONValue {
        guard answer.code >= 400 else { return answer.body }
        throw StatusError(
            answer.code, answer.body["reason"]?.text ?? "", answer.body["message"]?.text ?? "", details: answer.body["details"])
    }

    private func path(of object: JSONValue, withName: Bool) throws -> String {
        let name = object["metadata", "name"]?.text ?? ""
        let path = try path(
            object["kind"]?.text ?? "", name, object["metadata", "namespace"]?.text ?? "default",
            apiVersion: object["apiVersion"]?.text)
        return withName || name.isEmpty ? path : String(path.dropLast(name.utf8.count + 1))
    }

    private func path(_ kind: String, _ name: String, _ namespace: String, apiVersion: String? = nil) throws -> String {
        let types = shared.withServer { $0.types }
        guard let type = types.first(where: { $0.kind == kind && (apiVersion == nil || $0.apiVersion == apiVersion) }) else {
            throw StatusError.noSuchPath
        }
        let root = type.group.isEmpty ? "/api/\(type.version)" : "/apis/\(type.group)/\(type.version)"
        return root + (type.isNamespaced ? "/namespaces/\(namespace)" : "") + "/\(type.plural)" + (name.isEmpty ? "" : "/\(name)")
    }

    // MARK: Users

    /// Lets the bearer of `token` in as `user`.
    public func allow(token: String, user: String) { shared.withServer { $0.settings.users[token] = user } }

    /// Lets the bearer of `token` in no longer.
    public func revoke(token: String) { shared.withServer { $0.settings.users[token] = nil } }

    /// Refuses what is denied, with 403, and nothing else.
    public func deny(_ denials: [Denial]) { shared.withServer { $0.settings.denials = denials } }

    /// From now on users may do only what roles and bindings grant them; the administrator everything.
    ///
    /// Without a token of his, who presents none is the administrator: kubectl sends no token without TLS.
    public func enforceRoles() { shared.withServer { $0.settings.enforceRoles() } }

    /// From now on it is an API server alone, without a controller manager: a pod's account must have been made, and a namespace stays,
    /// terminating, until its finalizers are taken away.
    public func stopControllers() { shared.withServer { $0.settings.hasControllers = false } }

    /// Lets new connections use other files for TLS, or those of before as they are now; open connections go on as they began.
    ///
    /// - Throws: `TLSError` when the files aren't right, or the server was started without TLS.
    public func rotateTLS(to files: TLSFiles? = nil) throws { try shared.use(files) }

    // MARK: Faults

    /// What clients did, to look at or to wait for.
    public var requests: Observed<RequestLog> { shared.log }

    /// Forgets the counts so far.
    public func resetRequests() { shared.log.update { $0.counts = [:] } }

    /// Adds a fault; the first that meets a request is used.
    public func inject(_ fault: Fault) { shared.state.withLock { $0.faults.append(fault) } }

    /// Removes all faults.
    public func clearFaults() { shared.state.withLock { $0.faults = [] } }

    /// Forgets the history: watches from older versions, and continue tokens, get 410.
    public func compact() { shared.state.withLock { $0.server.store.compact() } }

    /// Raises the resource version as if others had written.
    public func advanceResourceVersion(by count: UInt64) { shared.withServer { $0.store.advance(by: count) } }

    /// Does something to the open watches of `resource`, such as `pods`; `*` for all.
    public func disturbWatches(of resource: String = "*", _ disturbance: WatchDisturbance) async throws {
        try await perform(.disturb(disturbance, resource: resource))
    }

    /// Drops all connections, as a restart does; the objects stay.
    ///
    /// - Parameter losingHistory: whether watches can't go on from their versions.
    public func restart(losingHistory: Bool = false) async throws {
        if losingHistory { compact() }
        try await perform(.dropConnections)
    }

    /// Drops all connections and refuses new ones until `comeBack`.
    public func goDown() async throws { try await perform(.closeListener, .dropConnections) }

    /// Listens again on the same port.
    public func comeBack(losingHistory: Bool = false) async throws {
        if losingHistory { compact() }
        try await perform(.openListener)
    }

    /// Sets how far the server's clock is ahead.
    public func setClockSkew(_ skew: Duration) { shared.withServer { $0.settings.clockSkew = skew / .seconds(1) } }

    /// Sets whether watches that ask for bookmarks get them, and how often.
    public func setBookmarks(enabled: Bool, every interval: Duration = .seconds(60)) {
        shared.withServer {
            $0.settings.sendsBookmarks = enabled
            $0.settings.bookmarkInterval = interval / .seconds(1)
        }
    }

    /// Refuses streaming lists with this status (400 or 422), as old servers do; nil supports them.
    public func refuseStreamingLists(with code: Int?) { shared.withServer { $0.settings.streamingListRefusal = code } }

    private func perform(_ commands: SharedState.Command...) async throws {
        var last = 0
        for command in commands { last = shared.order(command) }
        let wanted = last
        _ = try await shared.performed.wait(for: "the API simulator to obey", within: .seconds(10)) { $0 >= wanted ? true : nil }
    }
}
