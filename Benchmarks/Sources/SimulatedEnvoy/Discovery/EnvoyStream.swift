/// One ADS stream of a simulated Envoy, and what it holds: it asks for clusters, then for their endpoints, then for listeners, and
/// acknowledges what it gets, as Envoy does. What it holds outlives its connection, so that it can say so when it comes back.
public final class EnvoyStream {
    /// The message of a rejection: it names no resource, so a server has to find out for itself.
    private static let rejection = Array("rejected by the load generator".utf8)

    /// The node id.
    public let nodeID: String
    /// Whether it has been answered to its request for listeners, which is the last of the sequence. One that comes back is complete
    /// from the start: a delta server may have nothing to say to it.
    public private(set) var isComplete = false
    /// Resources received since the last `open`.
    public private(set) var resourceCount = 0
    /// Whether it brings something from an earlier connection.
    public var isReturning: Bool { isAskingForListeners }
    private let profile: EnvoyProfile
    private var number = 0
    private var hasSentNode = false
    private var isAskingForListeners = false
    private var held: [[UInt64: UInt64]] = [[:], [:], [:]]
    /// Names of endpoints that are subscribed to.
    private var assignments: Set<UInt64> = []
    /// Of each kind, the version last accepted and the nonce last received; kept for the state-of-the-world form only.
    private var versions: [[UInt8]] = [[], [], []]
    private var nonces: [[UInt8]] = [[], [], []]

    /// Makes a stream of the Envoy that calls itself `nodeID`.
    public init(_ nodeID: String, _ profile: EnvoyProfile) {
        self.nodeID = nodeID
        self.profile = profile
    }

    /// Opens the stream on `connection`: a new Envoy asks for clusters, one that comes back for all it has.
    public func open(_ connection: ClientConnection) {
        number = connection.openStream()
        hasSentNode = false
        isComplete = isReturning
        resourceCount = 0
        nonces = [[], [], []]
        guard isReturning else { return ask(.cluster, connection, isFirst: true) }
        ask(.cluster, connection, isFirst: true)
        if !assignments.isEmpty { ask(.endpoint, connection, isFirst: true) }
        ask(.listener, connection, isFirst: true)
    }

    /// Takes a response, and answers it; nil when it can't be read.
    public func receive(
        _ bytes: UnsafeRawBufferPointer, _ connection: ClientConnection, rejects: Bool
    ) -> DiscoveryResponse? {
        guard let response = DiscoveryResponse(bytes, profile.form), let kind = response.kind else { return nil }
        resourceCount += response.resourceCount
        if rejects && isComplete {
            answer(kind, response, connection, rejects: true)
            return response
        }
        let change = take(response, kind)
        if profile.form == .stateOfTheWorld {
            versions[kind.rawValue] = Array(response.version)
            nonces[kind.rawValue] = Array(response.nonce)
        }
        answer(kind, response, connection, rejects: false)
        if !change.added.isEmpty || !change.removed.isEmpty { changeAssignments(change, connection) }
        if kind == .listener { isComplete = true }
        if !isAskingForListeners, kind == .endpoint || (kind == .cluster && assignments.isEmpty) {
            isAskingForListeners = true
            ask(.listener, connection, isFirst: true)
        }
        return response
    }

    /// Names of endpoints that clusters begin or cease to need.
    private struct AssignmentChange {
        var added: [UInt64] = []
        var removed: [UInt64] = []
    }

    /// Takes in what a response says.
    private func take(_ response: DiscoveryResponse, _ kind: ResourceKind) -> AssignmentChange {
        switch profile.form {
        case .delta: takeChanges(response, kind)
        case .stateOfTheWorld: kind == .cluster ? takeClusters(response) : AssignmentChange()
        }
    }

    private func takeChanges(_ response: DiscoveryResponse, _ kind: ResourceKind) -> AssignmentChange {
        let names = profile.names
        var change = AssignmentChange()
        response.forEachResource { resource in
            held[kind.rawValue][names.intern(resource.name)] = names.intern(resource.version)
            guard kind == .cluster, let endpoints = DiscoveryResponse.endpointName(ofCluster: resource.body) else { return }
            let name = names.intern(endpoints)
            if assignments.insert(name).inserted { change.added.append(name) }
        }
        response.forEachRemoved { text in
            let name = names.intern(text)
            held[kind.rawValue][name] = nil
            guard kind == .cluster, assignments.remove(name) != nil else { return }
            held[ResourceKind.endpoint.rawValue][name] = nil
            change.removed.append(name)
        }
        return change
    }

    /// The state-of-the-world form names all clusters each time.
    private func takeClusters(_ response: DiscoveryResponse) -> AssignmentChange {
        var present: Set<UInt64> = []
        present.reserveCapacity(assignments.count)
        response.forEachResource { resource in
            guard let endpoints = DiscoveryResponse.endpointName(ofCluster: resource.body) else { return }
            present.insert(profile.names.intern(endpoints))
        }
        defer { assignments = present }
        return AssignmentChange(
            added: Array(present.subtracting(assignments)), removed: Array(assignments.subtracting(present)))
    }

    // MARK: - Requests

    private func ask(_ kind: ResourceKind, _ connection: ClientConnection, isFirst: Bool) {
        var request = head(kind)
        switch profile.form {
        case .delta:
            if kind == .endpoint { appendNames(3, assignments, to: &request) }
            if isFirst { appendHeldVersions(kind, to: &request) }
        case .stateOfTheWorld:
            request.appendField(1, versions[kind.rawValue])
            if kind == .endpoint { appendNames(3, assignments, to: &request) }
        }
        send(request, connection)
    }

    private func answer(_ kind: ResourceKind, _ response: DiscoveryResponse, _ connection: ClientConnection, rejects: Bool) {
        var request = head(kind)
        switch profile.form {
        case .delta:
            request.appendField(6, response.nonce)
        case .stateOfTheWorld:
            request.appendField(1, versions[kind.rawValue])
            if kind == .endpoint { appendNames(3, assignments, to: &request) }
            request.appendField(5, response.nonce)
        }
        if rejects {
            var status: [UInt8] = []
            status.appendField(1, 13)  // INTERNAL, as Envoy says
            status.appendField(2, Self.rejection)
            request.appendMessage(profile.form == .delta ? 7 : 6, status)
        }
        send(request, connection)
    }

    private func changeAssignments(_ change: AssignmentChange, _ connection: ClientConnection) {
        var request = head(.endpoint)
        switch profile.form {
        case .delta:
            appendNames(3, change.added, to: &request)
            appendNames(4, change.removed, to: &request)
        case .stateOfTheWorld:
            request.appendField(1, versions[ResourceKind.endpoint.rawValue])
            appendNames(3, assignments, to: &request)
            request.appendField(5, nonces[ResourceKind.endpoint.rawValue])
        }
        send(request, connection)
    }

    /// A request with its type, and the node where it belongs.
    private func head(_ kind: ResourceKind) -> [UInt8] {
        var request: [UInt8] = []
        let sendsNode = !hasSentNode || !profile.sendsNodeOnce
        hasSentNode = true
        switch profile.form {
        case .delta:
            if sendsNode { request.appendField(1, profile.node(nodeID)) }
            request.appendField(2, kind.url)
        case .stateOfTheWorld:
            if sendsNode { request.appendField(2, profile.node(nodeID)) }
            request.appendField(4, kind.url)
        }
        return request
    }

    private func appendNames(_ field: Int, _ names: some Sequence<UInt64>, to request: inout [UInt8]) {
        for name in names { request.appendMessage(field, profile.names.text(name)) }
    }

    private func appendHeldVersions(_ kind: ResourceKind, to request: inout [UInt8]) {
        for (name, version) in held[kind.rawValue] {
            var entry: [UInt8] = []
            entry.appendField(1, profile.names.text(name))
            entry.appendField(2, profile.names.text(version))
            request.appendMessage(5, entry)
        }
    }

    private func send(_ request: [UInt8], _ connection: ClientConnection) { connection.send(request, on: number) }
}
