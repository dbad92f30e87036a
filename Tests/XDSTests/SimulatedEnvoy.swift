@testable import XDS

/// A delta response as a client reads it, decoded apart from the code that wrote it.
struct DecodedResponse {
    struct Resource: Equatable {
        var name = ""
        var version = ""
        var typeURL = ""
        var payload = ""
    }

    var typeURL = ""
    var nonce = ""
    var resources: [Resource] = []
    var removed: [String] = []

    init(_ bytes: [UInt8]) {
        for (field, value) in Self.fields(bytes[...]) {
            switch field {
            case 2: resources.append(Self.resource(value))
            case 4: typeURL = String(decoding: value, as: UTF8.self)
            case 5: nonce = String(decoding: value, as: UTF8.self)
            case 6: removed.append(String(decoding: value, as: UTF8.self))
            default: break
            }
        }
    }

    private static func resource(_ bytes: ArraySlice<UInt8>) -> Resource {
        var resource = Resource()
        for (field, value) in fields(bytes) {
            switch field {
            case 1: resource.version = String(decoding: value, as: UTF8.self)
            case 2:
                for (anyField, anyValue) in fields(value) {
                    if anyField == 1 { resource.typeURL = String(decoding: anyValue, as: UTF8.self) }
                    if anyField == 2 { resource.payload = String(decoding: anyValue, as: UTF8.self) }
                }
            case 3: resource.name = String(decoding: value, as: UTF8.self)
            default: break
            }
        }
        return resource
    }

    /// Length-delimited fields only: a response has no others.
    static func fields(_ bytes: ArraySlice<UInt8>) -> [(Int, ArraySlice<UInt8>)] {
        var rest = bytes
        var fields: [(Int, ArraySlice<UInt8>)] = []
        func number() -> Int {
            var result = 0
            var shift = 0
            while let byte = rest.popFirst() {
                result |= Int(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return result
        }
        while !rest.isEmpty {
            let tag = number()
            let length = number()
            fields.append((tag >> 3, rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return fields
    }
}

/// A client that behaves as Envoy was seen to: it applies rejected responses in part, asks for endpoints once for each new cluster, and
/// waits for them, without asking, after a cluster's update.
struct SimulatedEnvoy {
    /// Whether rejections name the culprit.
    var namesCulprits = true
    /// Whether it applies nothing of a response with a cluster that it rejects, as Envoy does when the cluster's fields are not valid.
    var refusesWholeClusters = false
    private(set) var versions: [ResourceType: [String: String]] = [.cluster: [:], .endpoint: [:], .listener: [:]]
    private(set) var payloads: [String: String] = [:]
    private(set) var warming: Set<String> = []
    private(set) var endpointNames: Set<String> = []
    private(set) var faults: [String] = []
    /// Resources that reached the client since the stream began.
    private(set) var received = 0
    private var hasListeners = false

    mutating func connect() -> [DeltaRequest] {
        received = 0
        warming = []
        let isReconnect = hasListeners
        var requests = [request(.cluster, versions: isReconnect)]
        if isReconnect {
            if !endpointNames.isEmpty {
                var endpoints = request(.endpoint, versions: true)
                endpoints.subscribe = endpointNames.sorted()
                requests.append(endpoints)
            }
            requests.append(request(.listener, versions: true))
        }
        return requests
    }

    mutating func receive(_ bytes: [UInt8]) -> [DeltaRequest] {
        let response = DecodedResponse(bytes)
        guard let type = ResourceType(typeURL: response.typeURL) else {
            faults.append("unknown type \(response.typeURL)")
            return []
        }
        received += response.resources.count
        let bad = response.resources.filter { $0.payload.contains("bad") }
        if bad.isEmpty || type != .cluster || !refusesWholeClusters {
            for resource in response.resources where !resource.payload.contains("bad") { apply(resource, type) }
            for name in response.removed { remove(name, type) }
        }
        var requests = newSubscriptions(type)
        var answer = DeltaRequest(typeURL: type.typeURL, nonce: response.nonce)
        if !bad.isEmpty {
            answer.rejection =
                namesCulprits ? "Error adding/updating listener(s) " + bad.map { "\($0.name): no\n" }.joined() : "no"
        }
        requests.append(answer)
        if type == .cluster && !hasListeners {
            hasListeners = true
            requests.append(request(.listener, versions: false))
        }
        return requests
    }

    private func request(_ type: ResourceType, versions wantsVersions: Bool) -> DeltaRequest {
        DeltaRequest(typeURL: type.typeURL, held: HeldResources(wantsVersions ? versions[type] ?? [:] : [:]))
    }

    private mutating func apply(_ resource: DecodedResponse.Resource, _ type: ResourceType) {
        // An answer may cross with the client's giving up the name.
        if type == .endpoint && !endpointNames.contains(resource.name) { return }
        let isChange = payloads["\(type) \(resource.name)"] != resource.payload
        payloads["\(type) \(resource.name)"] = resource.payload
        let isUpdate = versions[type]?.updateValue(resource.version, forKey: resource.name) != nil
        switch type {
        case .cluster: if isUpdate && isChange && endpointNames.contains(resource.name) { warming.insert(resource.name) }
        case .endpoint: warming.remove(resource.name)
        case .listener:
            let cluster = resource.payload.split(separator: "=")[1].split(separator: " ")[0]
            if versions[.cluster]?[String(cluster)] == nil {
                faults.append("listener \(resource.name) before cluster \(cluster)")
            }
        }
    }

    private mutating func remove(_ name: String, _ type: ResourceType) {
        versions[type]?[name] = nil
        payloads["\(type) \(name)"] = nil
        guard type == .cluster else { return }
        warming.remove(name)
        for (listener, _) in versions[.listener] ?? [:] {
            let payload = payloads["listener \(listener)"] ?? ""
            if payload.hasPrefix("\(listener)=\(name) ") { faults.append("cluster \(name) gone before listener \(listener)") }
        }
    }

    private mutating func newSubscriptions(_ type: ResourceType) -> [DeltaRequest] {
        guard type == .cluster else { return [] }
        let wanted = Set((versions[.cluster] ?? [:]).keys.filter { !$0.hasPrefix("static") })
        var request = DeltaRequest(typeURL: ResourceType.endpoint.typeURL)
        request.subscribe = wanted.subtracting(endpointNames).sorted()
        request.unsubscribe = endpointNames.subtracting(wanted).sorted()
        endpointNames = wanted
        for name in request.unsubscribe { versions[.endpoint]?[name] = nil }
        return request.subscribe.isEmpty && request.unsubscribe.isEmpty ? [] : [request]
    }
}
