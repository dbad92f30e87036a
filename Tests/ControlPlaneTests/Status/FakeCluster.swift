import Domain
import Foundation
import Kubernetes

@testable import ControlPlane

/// As much of an API server as writing status needs: VirtualServices with versions, apply by field managers, JSON patches with
/// tests, leases with optimistic writes, events. It counts what is written.
struct FakeCluster {
    struct Service {
        var uid: String
        var version: Int
        var finalizers: [String]
        /// What each field manager applied.
        var applied: [String: [String: Any]] = [:]

        var status: [String: Any] {
            var result: [String: Any] = [:]
            var replicas: [Any] = []
            for manager in applied.keys.sorted() {
                for (name, value) in applied[manager] ?? [:] {
                    if name == "replicas" { replicas += value as? [Any] ?? [] } else { result[name] = value }
                }
            }
            result["replicas"] = replicas.isEmpty ? nil : replicas
            return result
        }
    }

    var services: [ObjectKey: Service] = [:]
    var leases: [String: (version: Int, object: [String: Any])] = [:]
    var events: [[String: Any]] = []
    var version = 0
    /// Writes of VirtualServices, by what they write.
    var writes: [String: Int] = [:]
    var conflicts = 0
    /// Answers with this instead, if it is a write of status.
    var fault: APIResponse?
    /// Answers 403 to writes of these objects, or in these namespaces.
    var forbidden: Set<String> = []
    /// What the watch has yet to tell.
    var news: [ObjectKey] = []

    mutating func create(_ key: ObjectKey, uid: String = UUID().uuidString, finalizers: [String] = []) {
        version += 1
        services[key] = Service(uid: uid, version: version, finalizers: finalizers)
        news.append(key)
    }

    /// What a watch tells of an object.
    func observed(_ key: ObjectKey) -> WatchEvent<ObservedObject> {
        guard let service = services[key] else { return .deleted(key) }
        return .applied(
            ObservedObject(
                metadata: ObjectMetadata(key: key, uid: service.uid, resourceVersion: "\(service.version)"),
                status: FieldValue(json: service.status)))
    }

    func status(_ key: ObjectKey) -> ObservedStatus { ObservedStatus(services[key].map { FieldValue(json: $0.status) }) }

    func programmed(_ key: ObjectKey) -> String {
        let summary = status(key).summary
        return summary.flatMap { all in
            all[.programmed].map { "\($0.reason) \(all.programmedEnvoys)/\(all.matchedEnvoys)@\($0.observedGeneration)" }
        } ?? "none"
    }

    var statusWrites: Int { writes.values.reduce(0, +) }

    mutating func send(_ request: APIRequest) -> APIResponse {
        let path = request.path.split(separator: "/").map(String.init)
        let body = try? JSONSerialization.jsonObject(with: Data(request.body))
        if path.contains("virtualservices"), path.count >= 7 {
            let key = ObjectKey(namespace: path[4], name: path[6])
            let isStatus = path.last == "status" && path.count == 8
            if isStatus, let fault { return fault }
            if forbidden.contains(key.namespace) || forbidden.contains(key.name) {
                writes["forbidden", default: 0] += 1
                return failure(403, "virtualservices \"\(key.name)\" is forbidden")
            }
            guard services[key] != nil else { return failure(404, "virtualservices \"\(key.name)\" not found") }
            if let document = body as? [String: Any] { return apply(document, request, key) }
            return patch(body as? [[String: Any]] ?? [], key)
        }
        if path.contains("leases") { return lease(request, path, body as? [String: Any] ?? [:]) }
        if path.contains("events") {
            if request.method == .post { events.append(body as? [String: Any] ?? [:]) }
            return APIResponse(status: 201)
        }
        return failure(404, "the server could not find the requested resource")
    }

    private mutating func apply(_ document: [String: Any], _ request: APIRequest, _ key: ObjectKey) -> APIResponse {
        guard var service = services[key] else { return failure(404, "not found") }
        let metadata = document["metadata"] as? [String: Any]
        if let wanted = metadata?["resourceVersion"] as? String, wanted != "\(service.version)" {
            conflicts += 1
            return failure(409, "the object has been modified")
        }
        let manager = request.query.first { $0.name == "fieldManager" }?.value ?? ""
        writes[manager == "xds-operator" ? "summary" : "entry", default: 0] += 1
        service.applied[manager] = document["status"] as? [String: Any] ?? [:]
        return store(service, key)
    }

    private mutating func patch(_ operations: [[String: Any]], _ key: ObjectKey) -> APIResponse {
        guard var service = services[key] else { return failure(404, "not found") }
        for operation in operations {
            let path = operation["path"] as? String ?? ""
            switch (operation["op"] as? String, path) {
            case ("test", "/metadata/uid"):
                if operation["value"] as? String != service.uid { return failure(422, "test failed") }
            case ("test", "/metadata/resourceVersion"):
                if operation["value"] as? String != "\(service.version)" { return failure(422, "test failed") }
            case ("test", "/metadata/finalizers"):
                if operation["value"] as? [String] != service.finalizers { return failure(422, "test failed") }
            case ("remove", let path) where path.hasPrefix("/metadata/finalizers/"):
                guard let index = Int(path.split(separator: "/")[2]) else { return failure(400, path) }
                service.finalizers.remove(at: index)
                writes["finalizer", default: 0] += 1
            case ("remove", let path) where path.hasPrefix("/status/replicas/"):
                let entries = service.status["replicas"] as? [[String: Any]] ?? []
                guard let index = Int(path.split(separator: "/")[2]), entries.indices.contains(index),
                    let name = entries[index]["name"] as? String
                else { return failure(422, "no such path") }
                service.applied["xds-operator-\(name)"] = nil
                writes["clear", default: 0] += 1
            default: return failure(400, path)
            }
        }
        if service.finalizers.isEmpty, operations.contains(where: { $0["path"] as? String == "/metadata/finalizers" }) {
            services[key] = nil
            news.append(key)
            return APIResponse(status: 200, body: Array("{}".utf8))
        }
        return store(service, key)
    }

    private mutating func store(_ service: Service, _ key: ObjectKey) -> APIResponse {
        version += 1
        var service = service
        service.version = version
        services[key] = service
        news.append(key)
        return APIResponse(status: 200, body: Array(#"{"metadata":{"resourceVersion":"\#(version)"}}"#.utf8))
    }

    private mutating func lease(_ request: APIRequest, _ path: [String], _ body: [String: Any]) -> APIResponse {
        var body = body
        var metadata = body["metadata"] as? [String: Any] ?? [:]
        let name = request.method == .post ? metadata["name"] as? String ?? "" : path.last ?? ""
        switch request.method {
        case .get where name == "leases":
            let items = leases.sorted { $0.key < $1.key }.map(\.value.object).filter {
                (($0["metadata"] as? [String: Any])?["labels"] as? [String: Any])?[LeaseRequests.replicaLabel.name] != nil
            }
            return json(["items": items])
        case .get: return leases[name].map { json($0.object) } ?? failure(404, "not found")
        case .delete:
            return leases.removeValue(forKey: name).map { json($0.object) } ?? failure(404, "not found")
        case .post where leases[name] != nil: return failure(409, "exists")
        case .put where leases[name] == nil: return failure(404, "not found")
        case .put where metadata["resourceVersion"] as? String != leases[name].map { "\($0.version)" }:
            return failure(409, "modified")
        default:
            version += 1
            metadata["resourceVersion"] = "\(version)"
            body["metadata"] = metadata
            leases[name] = (version, body)
            return json(body)
        }
    }

    private func json(_ object: [String: Any]) -> APIResponse {
        APIResponse(status: 200, body: (try? JSONSerialization.data(withJSONObject: object)).map(Array.init) ?? [])
    }

    private func failure(_ status: Int, _ message: String) -> APIResponse {
        let body: [String: Any] = ["kind": "Status", "code": status, "message": message]
        return APIResponse(status: status, body: (try? JSONSerialization.data(withJSONObject: body)).map(Array.init) ?? [])
    }
}

extension FieldValue {
    /// A tree of `JSONSerialization`, whose booleans are not needed here.
    init(json: Any) {
        switch json {
        case let text as String: self.init(.string(text))
        case let number as NSNumber: self.init(.integer(number.int64Value))
        case let list as [Any]: self.init(.array(list.map(FieldValue.init(json:))))
        case let object as [String: Any]:
            self.init(.object(FieldObject(object.map { FieldObject.Member(key: $0.key, value: FieldValue(json: $0.value)) })))
        default: self.init(.null)
        }
    }
}
