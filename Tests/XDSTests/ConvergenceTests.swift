import Domain
import Testing

@testable import XDS

/// Random interleavings of changes, requests, answers and rejections: whatever the order, every client ends with what its group's
/// snapshot says.
@Suite struct ConvergenceTests {
    private struct Connection<Pair: StreamPair> {
        var pair = Pair()
        var stream: StreamID
        let node: ObjectKey
        var group: GroupID?
        var toServer: [Pair.Request] = []
        var toClient: [[UInt8]] = []
        /// Nonces of the responses that the server has had no answer to, oldest first, and the most of them at any time, by type URL.
        var unanswered: [String: [String]] = [:]
        var mostUnanswered: [String: Int] = [:]
        var isGraceOver = false
        var progress: StreamProgress?
    }

    private struct World<Pair: StreamPair> {
        var random: SeededGenerator
        var fanOut: FanOut
        var connections: [Connection<Pair>] = []
        var request = LoopRequest()
        var hasNews = false
        var nextStream: UInt64 = 1
        var services: Set<String> = []
        let selectors: [ScopedSelector]
        let mayReject: Bool
        /// Whether pods change their groups, of which each remembers its own clients alone.
        let mayMove: Bool
        let loop = LoopID(0)

        init(seed: Int, mayReject: Bool, mayMove: Bool, logFloor: Int) throws {
            random = SeededGenerator(seed: UInt64(seed))
            fanOut = FanOut(store: SnapshotStore(logFloor: logFloor), tracksProgress: true)
            selectors = [try selector(["app": "a"]), try selector(["app": "b"]), try selector(["tier": "c"])]
            self.mayReject = mayReject
            self.mayMove = mayMove
        }

        mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

        mutating func mutate() throws {
            for _ in 0...pick(3) {
                let name = "s\(pick(8))"
                switch pick(10) {
                case 0, 1:
                    services.remove(name)
                    fanOut.removeFragment(key(name))
                case 2 where mayMove:
                    let chosen = Set(selectors.filter { _ in Bool.random(using: &random) })
                    let node = connections[pick(connections.count)].node
                    fanOut.setNode(NodeChange(key: node, uid: "", selectors: chosen))
                default:
                    services.insert(name)
                    let units = try (0...pick(3)).map { place in
                        try unit(
                            "\(name)-\(place)", port: pick(12) + 1, cluster: pick(6) == 0 ? "shared\(pick(3))" : nil,
                            content: mayReject && pick(6) == 0 ? "bad\(pick(3))" : "\(pick(3))",
                            endpoints: Pair.rejectsEndpoints && mayReject && pick(8) == 0 ? "bad\(pick(3))" : "\(pick(3))")
                    }
                    fanOut.setFragment(fragment(name, selectors[pick(2)], created: Int64(pick(3)), units))
                }
            }
            if !fanOut.commit(synced: true).isEmpty { hasNews = true }
        }

        mutating func connect(_ index: Int) {
            if let old = connections[index].stream as StreamID?, old.number > 0 { request.detached.append(old) }
            let stream = StreamID(nextStream)
            nextStream += 1
            connections[index].stream = stream
            connections[index].group = nil
            connections[index].isGraceOver = false
            connections[index].progress = nil
            connections[index].toClient = []
            connections[index].unanswered = [:]
            connections[index].pair.excusesFirstAnswer = mayMove
            connections[index].toServer = connections[index].pair.connect()
            request.attached.append((stream, connections[index].node.description))
        }

        mutating func serve() {
            let batch = request
            request = LoopRequest()
            hasNews = false
            let reply = fanOut.serve(loop, batch)
            for (stream, position) in reply.assignments {
                guard let index = connections.firstIndex(where: { $0.stream == stream }) else { continue }
                connections[index].group = position.group
                perform(connections[index].pair.assigned(position), index)
            }
            for update in reply.updates {
                for index in connections.indices where connections[index].group == update.to.group {
                    perform(connections[index].pair.updated(update), index)
                }
            }
            for (stream, results) in reply.answers {
                guard let index = connections.firstIndex(where: { $0.stream == stream }) else { continue }
                perform(connections[index].pair.answered(results), index)
            }
        }

        mutating func perform(_ actions: [DeltaAction], _ index: Int) {
            var fetches: [Fetch] = []
            for action in actions {
                switch action {
                case .send(let head, let body):
                    connections[index].toClient.append(head + body)
                    let type = DecodedResponse(body).typeURL
                    connections[index].unanswered[type, default: []].append(DecodedResponse(head).nonce)
                    let count = connections[index].unanswered[type, default: []].count
                    connections[index].mostUnanswered[type] = max(count, connections[index].mostUnanswered[type, default: 0])
                case .fetch(let fetch): fetches.append(fetch)
                case .release(let group): request.released.append((connections[index].stream, group))
                case .rejected: break
                case .resync:
                    connect(index)
                    return
                }
            }
            if !fetches.isEmpty, let group = connections[index].group {
                request.fetches.append((connections[index].stream, group, fetches))
            }
            let progress = connections[index].pair.progress
            if progress != connections[index].progress {
                connections[index].progress = progress
                request.progressed.append((connections[index].stream, progress))
            }
        }

        /// Lets the time pass that a client has to ask for its listeners; false when it has passed for all.
        mutating func elapse() -> Bool {
            guard let index = connections.firstIndex(where: { !$0.isGraceOver }) else { return false }
            connections[index].isGraceOver = true
            perform(connections[index].pair.graceElapsed(), index)
            return true
        }

        /// Does one thing that can happen next; false when nothing can.
        mutating func step() -> Bool {
            var order: [Int] = []
            for index in connections.indices {
                if !connections[index].toClient.isEmpty { order.append(index * 2) }
                if !connections[index].toServer.isEmpty { order.append(index * 2 + 1) }
            }
            if hasNews || !request.isEmpty { order.append(-1) }
            guard let choice = order.randomElement(using: &random) else { return false }
            if choice < 0 {
                serve()
            } else if choice % 2 == 0 {
                let bytes = connections[choice / 2].toClient.removeFirst()
                connections[choice / 2].toServer += connections[choice / 2].pair.clientReceives(bytes)
            } else {
                let request = connections[choice / 2].toServer.removeFirst()
                // An answer is one to all that was sent before as well.
                if let place = connections[choice / 2].unanswered[request.typeURL]?.firstIndex(of: request.nonce) {
                    connections[choice / 2].unanswered[request.typeURL]?.removeFirst(place + 1)
                }
                perform(connections[choice / 2].pair.serverReceives(request), choice / 2)
            }
            return true
        }
    }

    private func run<Pair: StreamPair>(
        _: Pair.Type, seed: Int, mayReject: Bool = false, namesCulprits: Bool = true, refusesWholeClusters: Bool = false,
        mayMove: Bool = true,
        logFloor: Int = 16_384
    ) throws -> World<Pair> {
        var world = try World<Pair>(seed: seed, mayReject: mayReject, mayMove: mayMove, logFloor: logFloor)
        for number in 0..<3 {
            let node = key("pod-\(number)")
            world.connections.append(Connection(stream: StreamID(0), node: node))
            world.connections[number].pair.namesCulprits = namesCulprits
            world.connections[number].pair.refusesWholeClusters = refusesWholeClusters
            world.fanOut.setNode(NodeChange(key: node, uid: "", selectors: [world.selectors[number % 2]]))
        }
        for index in world.connections.indices { world.connect(index) }
        for _ in 0..<60 {
            try world.mutate()
            if world.pick(15) == 0 { world.connect(world.pick(world.connections.count)) }
            for _ in 0..<world.pick(12) where !world.step() { break }
        }
        var budget = 200_000
        while world.step() || world.elapse() {
            budget -= 1
            try #require(budget > 0, "the streams never come to rest")
        }
        return world
    }

    @Test(arguments: 0..<150)
    func everyClientEndsWithItsGroupsSnapshot(seed: Int) throws {
        let world = try run(DeltaPair.self, seed: seed)
        for connection in world.connections { check(connection, world) }
        checkProgress(world)
    }

    @Test(arguments: 0..<75)
    func alsoWhenTheLogIsShort(seed: Int) throws {
        let world = try run(DeltaPair.self, seed: seed, logFloor: 3)
        for connection in world.connections { check(connection, world) }
    }

    @Test(arguments: 0..<150)
    func rejectedResourcesAreWithheldAndTheOthersFlow(seed: Int) throws {
        let world = try run(DeltaPair.self, seed: seed, mayReject: true, namesCulprits: seed % 2 == 0)
        for connection in world.connections { checkGood(connection, world) }
    }

    /// At rest, every Envoy of an object has it, by its own word.
    private func checkProgress<Pair>(_ world: World<Pair>) {
        for service in world.services {
            let progress = world.fanOut.progress(of: key(service))
            #expect(progress.programmed == progress.connected)
            #expect(progress.rejection == nil)
        }
    }

    @Test(arguments: 0..<100)
    func everyStateOfTheWorldClientEndsWithItsGroupsSnapshot(seed: Int) throws {
        let world = try run(WorldPair.self, seed: seed)
        for connection in world.connections { check(connection, world) }
        checkProgress(world)
    }

    /// Whatever went while the client was away: a cluster leaves it after the listeners that used it.
    @Test(arguments: 0..<100)
    func aReturningStateOfTheWorldClientLosesNoClusterEarly(seed: Int) throws {
        let world = try run(WorldPair.self, seed: seed, mayMove: false)
        for connection in world.connections { check(connection, world) }
    }

    @Test(arguments: 0..<50)
    func alsoStateOfTheWorldWhenTheLogIsShort(seed: Int) throws {
        let world = try run(WorldPair.self, seed: seed, logFloor: 3)
        for connection in world.connections { check(connection, world) }
    }

    @Test(arguments: 0..<100)
    func aClusterThatSpoilsItsWholeResponseIsFoundAndWithheld(seed: Int) throws {
        let world = try run(DeltaPair.self, seed: seed, mayReject: true, namesCulprits: seed % 2 == 0, refusesWholeClusters: true)
        for connection in world.connections { checkGood(connection, world) }
    }

    @Test(arguments: 0..<100)
    func stateOfTheWorldRejectionsAreWithheldAndTheOthersFlow(seed: Int) throws {
        let world = try run(WorldPair.self, seed: seed, mayReject: true, namesCulprits: seed % 2 == 0)
        for connection in world.connections { checkGood(connection, world) }
    }

    private func check<Pair>(_ connection: Connection<Pair>, _ world: World<Pair>) {
        guard let group = connection.group else {
            Issue.record("\(connection.node) has no group")
            return
        }
        let isSettled = connection.pair.isSettled
        #expect(isSettled)
        checkWindow(connection)
        #expect(connection.pair.faults == [])
        #expect(connection.pair.warming == [], "a cluster waits for ever for its endpoints")
        for type in ResourceType.allCases {
            let expected = Dictionary(
                uniqueKeysWithValues: world.fanOut.store.resources(type, in: group).map { ($0.name, $0.version.description) })
            let held = connection.pair.versions[type] ?? [:]
            let stale = expected.filter { held[$0.key] != $0.value }.keys.sorted()
            let gone = held.keys.filter { expected[$0] == nil }.sorted()
            #expect(stale == [], "\(type) not up to date")
            #expect(gone == [], "\(type) not removed")
        }
    }

    private func checkWindow<Pair>(_ connection: Connection<Pair>) {
        for (type, most) in connection.mostUnanswered {
            #expect(most <= (type == ResourceType.cluster.typeURL ? Pair.clusterWindow : 8), "\(type)")
        }
    }

    private func checkGood<Pair>(_ connection: Connection<Pair>, _ world: World<Pair>) {
        guard let group = connection.group else {
            Issue.record("\(connection.node) has no group")
            return
        }
        let isSettled = connection.pair.isSettled
        #expect(isSettled)
        checkWindow(connection)
        for rejected in connection.pair.progress.rejected {
            let resource = world.fanOut.store.resources(rejected.type, in: group).first { $0.name == rejected.name }
            // Endpoints that went while their rejection was on the way may stay in the list, where nobody looks for them.
            if rejected.type == .endpoint && resource == nil { continue }
            #expect(
                resource.map { String(decoding: $0.deltaField, as: UTF8.self).contains("bad") } == true,
                "\(rejected.type) \(rejected.name) is rejected no more")
        }
        for type in ResourceType.allCases {
            let resources = world.fanOut.store.resources(type, in: group)
            let held = connection.pair.versions[type] ?? [:]
            for resource in resources where !String(decoding: resource.deltaField, as: UTF8.self).contains("bad") {
                // Endpoints of a cluster that was refused are not asked for.
                if type == .endpoint && !connection.pair.endpointNames.contains(resource.name) { continue }
                #expect(held[resource.name] == resource.version.description, "\(type) \(resource.name)")
            }
            for name in held.keys { #expect(resources.contains { $0.name == name }, "\(type) \(name) is gone") }
        }
    }
}
