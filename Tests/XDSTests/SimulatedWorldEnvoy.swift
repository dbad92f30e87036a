@testable import XDS

/// A state-of-the-world response as a client reads it.
struct DecodedWorldResponse {
    var version = ""
    var typeURL = ""
    var nonce = ""
    var payloads: [String] = []

    init(_ bytes: [UInt8]) {
        for (field, value) in DecodedResponse.fields(bytes[...]) {
            switch field {
            case 1: version = String(decoding: value, as: UTF8.self)
            case 2:
                for (anyField, payload) in DecodedResponse.fields(value) where anyField == 2 {
                    payloads.append(String(decoding: payload, as: UTF8.self))
                }
            case 4: typeURL = String(decoding: value, as: UTF8.self)
            case 5: nonce = String(decoding: value, as: UTF8.self)
            default: break
            }
        }
    }
}

/// A client of the state-of-the-world form that behaves as Envoy was seen to: it applies rejected responses in part, takes absence of a
/// cluster or listener for removal, repeats its last endpoint request after a cluster's update, and holds its answer about clusters
/// while one of them warms; what it says then is about the newest alone.
struct SimulatedWorldEnvoy {
    var namesCulprits = true
    /// Whether it applies nothing of a response with a cluster that it rejects, as Envoy does when the cluster's fields are not valid.
    var refusesWholeClusters = false
    private(set) var faults: [String] = []
    private(set) var warming: Set<String> = []
    private(set) var endpointNames: Set<String> = []
    private var payloads: [ResourceType: [String: String]] = [.cluster: [:], .endpoint: [:], .listener: [:]]
    private var accepted: [ResourceType: String] = [:]
    private var nonces: [ResourceType: String] = [:]
    private var heldAnswer: WorldRequest?
    private var hasListeners = false
    /// Whether the first answer about clusters of the next streams may take some from listeners: so it is when the server can't remember
    /// what the client brings, and has new clusters for it.
    var excusesFirstAnswer = false
    private var isFirstAnswer = true

    /// The digests of what the client has.
    var versions: [ResourceType: [String: String]] {
        payloads.mapValues { $0.mapValues { Digest(of: Array($0.utf8)).description } }
    }

    mutating func connect() -> [WorldRequest] {
        nonces = [:]
        heldAnswer = nil
        warming = []
        isFirstAnswer = true
        guard hasListeners else { return [request(.cluster)] }
        return endpointNames.isEmpty
            ? [request(.cluster), request(.listener)] : [request(.cluster), request(.endpoint), request(.listener)]
    }

    mutating func receive(_ bytes: [UInt8]) -> [WorldRequest] {
        let response = DecodedWorldResponse(bytes)
        guard let type = ResourceType(typeURL: response.typeURL) else {
            faults.append("unknown type \(response.typeURL)")
            return []
        }
        nonces[type] = response.nonce
        var bad: [String] = []
        var said: Set<String> = []
        let isRefused = refusesWholeClusters && type == .cluster && response.payloads.contains { isBad($0, type) }
        for payload in response.payloads {
            // An assignment without hosts is real protobuf: tag, length, name.
            let name = payload.contains("=") ? String(payload.prefix { $0 != "=" }) : String(payload.dropFirst(2))
            said.insert(name)
            if isBad(payload, type) {
                bad.append(name)
            } else if !isRefused {
                apply(name, payload, type)
            }
        }
        if type != .endpoint && !isRefused {
            for name in (payloads[type] ?? [:]).keys where !said.contains(name) { remove(name, type) }
        }
        if type == .cluster { isFirstAnswer = false }
        var requests = type == .cluster ? newSubscriptions() : []
        if bad.isEmpty { accepted[type] = response.version }
        var answer = request(type)
        if !bad.isEmpty {
            answer.rejection = namesCulprits ? "Error adding/updating listener(s) " + bad.map { "\($0): no\n" }.joined() : "no"
        }
        if type == .cluster { heldAnswer = answer } else { requests.append(answer) }
        if warming.isEmpty, let held = heldAnswer {
            heldAnswer = nil
            requests.append(held)
        }
        if type == .cluster && !hasListeners {
            hasListeners = true
            requests.append(request(.listener))
        }
        return requests
    }

    /// Whether it would reject the resource, which it does not have.
    private func isBad(_ payload: String, _ type: ResourceType) -> Bool {
        payload.contains("bad") && payloads[type]?[String(payload.prefix { $0 != "=" })] != payload
    }

    private func request(_ type: ResourceType) -> WorldRequest {
        WorldRequest(
            typeURL: type.typeURL, version: accepted[type] ?? "", names: type == .endpoint ? endpointNames.sorted() : [],
            nonce: nonces[type] ?? "")
    }

    private mutating func apply(_ name: String, _ payload: String, _ type: ResourceType) {
        if type == .endpoint && !endpointNames.contains(name) { return }
        let before = payloads[type]?.updateValue(payload, forKey: name)
        switch type {
        case .cluster: if let before, before != payload, endpointNames.contains(name) { warming.insert(name) }
        case .endpoint: warming.remove(name)
        case .listener:
            let cluster = String(payload.split(separator: "=")[1].split(separator: " ")[0])
            if payloads[.cluster]?[cluster] == nil { faults.append("listener \(name) before cluster \(cluster)") }
        }
    }

    private mutating func remove(_ name: String, _ type: ResourceType) {
        payloads[type]?[name] = nil
        guard type == .cluster else { return }
        warming.remove(name)
        for (listener, payload) in payloads[.listener] ?? [:]
        where payload.hasPrefix("\(listener)=\(name) ") && !(isFirstAnswer && excusesFirstAnswer) {
            faults.append("cluster \(name) gone before listener \(listener)")
        }
    }

    private mutating func newSubscriptions() -> [WorldRequest] {
        let wanted = Set((payloads[.cluster] ?? [:]).keys)
        guard wanted != endpointNames || !warming.isEmpty else { return [] }
        for name in endpointNames.subtracting(wanted) { payloads[.endpoint]?[name] = nil }
        endpointNames = wanted
        return [request(.endpoint)]
    }
}
