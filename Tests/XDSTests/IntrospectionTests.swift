import Domain
import EnvoyAPI
import SwiftProtobuf
import Testing

@testable import XDS

/// What is told of a client's resources, stage by stage of their way to it.
@Suite struct IntrospectionTests {
    enum Form: CaseIterable {
        case delta
        case stateOfTheWorld
    }

    /// A stream of one Envoy that answers only when told to.
    private struct World {
        private enum Machine {
            case delta(DeltaDiscoveryStateMachine)
            case world(WorldDiscoveryStateMachine)
        }

        private static let loop = LoopID(0)
        private let stream = StreamID(1)
        private var machine: Machine
        private(set) var fanOut = FanOut()
        private(set) var unanswered: [(nonce: String, type: String)] = []
        private var next = LoopRequest()
        let selected: ScopedSelector

        init(_ form: Form, isKnown: Bool = true) throws {
            machine = form == .delta ? .delta(DeltaDiscoveryStateMachine()) : .world(WorldDiscoveryStateMachine())
            selected = try selector(["app": "envoy"])
            if isKnown { fanOut.setNode(NodeChange(key: key("a"), uid: "", selectors: [selected])) }
            _ = fanOut.commit(synced: true)
            next.attached = [(stream, "default/a")]
        }

        var account: StreamAccount {
            switch machine {
            case .delta(let machine): machine.account
            case .world(let machine): machine.account
            }
        }

        mutating func ask(_ type: ResourceType, _ names: [String] = [], nonce: String = "", rejection: String? = nil) {
            switch machine {
            case .delta(var machine):
                let request = DeltaRequest(typeURL: type.typeURL, subscribe: names, nonce: nonce, rejection: rejection)
                let actions = machine.received(request)
                self.machine = .delta(machine)
                perform(actions)
            case .world(var machine):
                let request = WorldRequest(typeURL: type.typeURL, names: names, nonce: nonce, rejection: rejection)
                let actions = machine.received(request)
                self.machine = .world(machine)
                perform(actions)
            }
        }

        /// Answers the oldest response; returns whether there was one.
        @discardableResult
        mutating func answer(_ names: [ResourceType: [String]] = [:], rejection: String? = nil) -> Bool {
            guard let (nonce, typeURL) = unanswered.first, let type = ResourceType(typeURL: typeURL) else { return false }
            unanswered.removeFirst()
            var isDelta = false
            if case .delta = machine { isDelta = true }
            ask(type, isDelta ? [] : names[type] ?? [], nonce: nonce, rejection: rejection)
            return true
        }

        mutating func publish(_ fragments: [Fragment] = [], removing gone: [String] = []) {
            for fragment in fragments { fanOut.setFragment(fragment) }
            for name in gone { fanOut.removeFragment(key(name)) }
            _ = fanOut.commit(synced: true)
        }

        /// Lets the stream hear and be heard until nothing is left to say.
        mutating func serve() {
            while true {
                let request = next
                next = LoopRequest()
                let reply = fanOut.serve(Self.loop, request)
                for (_, position) in reply.assignments { apply({ $0.assigned(position) }, { $0.assigned(position) }) }
                for update in reply.updates { apply({ $0.updated(update) }, { $0.updated(update) }) }
                for (_, results) in reply.answers { apply({ $0.answered(results) }, { $0.answered(results) }) }
                if next.isEmpty && reply.assignments.isEmpty && reply.updates.isEmpty && reply.answers.isEmpty { return }
            }
        }

        private mutating func apply(
            _ delta: (inout DeltaDiscoveryStateMachine) -> [DeltaAction],
            _ world: (inout WorldDiscoveryStateMachine) -> [DeltaAction]
        ) {
            switch machine {
            case .delta(var machine):
                let actions = delta(&machine)
                self.machine = .delta(machine)
                perform(actions)
            case .world(var machine):
                let actions = world(&machine)
                self.machine = .world(machine)
                perform(actions)
            }
        }

        private mutating func perform(_ actions: [DeltaAction]) {
            var fetches: [Fetch] = []
            for action in actions {
                switch action {
                case .send(let head, let body):
                    // The nonce and the type stand in the same fields of both forms.
                    let response = try? Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: head + body)
                    let delta = try? Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: head + body)
                    if let nonce = response?.nonce ?? delta?.nonce, let type = response?.typeURL ?? delta?.typeURL {
                        unanswered.append((nonce, type))
                    }
                case .fetch(let fetch): fetches.append(fetch)
                case .release(let group): next.released.append((stream, group))
                case .rejected, .resync: break
                }
            }
            if !fetches.isEmpty, let group = account.group { next.fetches.append((stream, group, fetches)) }
        }

        func statuses(_ type: ResourceType) -> [ResourceStatus] {
            guard let account = account.types.first(where: { $0.type == type }) else { return [] }
            guard let group = self.account.group else { return account.statuses(nil) }
            return account.statuses(
                Inventory(
                    fanOut.store.unsortedResources(type, in: group), changes: fanOut.store.changes(since: account, in: group)))
        }

        func states(_ type: ResourceType) -> [String: ResourceStatus.State] {
            Dictionary(uniqueKeysWithValues: statuses(type).map { ($0.name, $0.state) })
        }
    }

    @Test(arguments: Form.allCases) func aResourceGoesFromUnsentToAcknowledged(_ form: Form) throws {
        var world = try World(form)
        world.publish([fragment("s", world.selected, [try unit("l", port: 1)])])
        world.ask(.listener)
        #expect(world.states(.cluster).isEmpty, "a type that was not asked for is not told of")
        world.serve()
        #expect(world.states(.listener) == ["l": .sent])
        world.answer()
        #expect(world.states(.listener) == ["l": .acknowledged])
        let version = try #require(world.statuses(.listener).first?.version)
        // It changes, and the stream has not heard of it.
        world.publish([fragment("s", world.selected, [try unit("l", port: 1, content: "2")])])
        #expect(world.states(.listener) == ["l": .notSent])
        #expect(world.statuses(.listener).first?.version != version)
        world.serve()
        #expect(world.states(.listener) == ["l": .sent])
        world.answer()
        #expect(world.states(.listener) == ["l": .acknowledged])
    }

    @Test(arguments: Form.allCases) func aRejectionIsToldInTheClientsWords(_ form: Form) throws {
        var world = try World(form)
        world.publish([fragment("s", world.selected, [try unit("a", port: 1), try unit("b", port: 2)])])
        world.ask(.listener)
        world.serve()
        world.answer(rejection: "a is wrong")
        world.serve()
        #expect(world.states(.listener) == ["a": .rejected("a is wrong"), "b": .sent])
        #expect(world.statuses(.listener).first?.resource?.name == "a")
        world.answer()
        #expect(world.states(.listener) == ["a": .rejected("a is wrong"), "b": .acknowledged])
        world.publish([fragment("s", world.selected, [try unit("a", port: 1, content: "2"), try unit("b", port: 2)])])
        world.serve()
        #expect(world.states(.listener) == ["a": .sent, "b": .acknowledged])
    }

    @Test(arguments: Form.allCases) func aRemovalIsToldUntilItIsAcknowledged(_ form: Form) throws {
        var world = try World(form)
        world.publish([fragment("s", world.selected, [try unit("l", port: 1)])])
        world.ask(.listener)
        world.serve()
        world.answer()
        world.publish(removing: ["s"])
        #expect(world.states(.listener) == ["l": .removalNotSent])
        world.serve()
        #expect(world.states(.listener) == ["l": .removalSent])
        world.answer()
        #expect(world.states(.listener).isEmpty)
    }

    @Test(arguments: Form.allCases) func endpointsAreThoseAskedFor(_ form: Form) throws {
        var world = try World(form)
        world.publish([fragment("s", world.selected, [try unit("a", port: 1), try unit("b", port: 2)])])
        world.ask(.endpoint, ["c-a", "nobody"])
        world.serve()
        #expect(world.states(.endpoint) == ["c-a": .sent, "nobody": form == .delta ? .removalSent : .absent])
        world.answer([.endpoint: ["c-a", "nobody"]])
        #expect(world.states(.endpoint) == ["c-a": .acknowledged, "nobody": .absent])
    }

    @Test(arguments: Form.allCases) func aClientThatWaitsForItsPodIsToldOfWithWhatItAsksFor(_ form: Form) throws {
        var world = try World(form, isKnown: false)
        world.ask(.cluster)
        world.ask(.endpoint, ["b", "a"])
        world.serve()
        #expect(world.account.group == nil)
        #expect(world.states(.cluster) == ["*": .notSent])
        #expect(world.states(.endpoint) == ["a": .notSent, "b": .notSent])
    }

    /// Clients that have just what their group has are told of by what was worked out once.
    @Test func aStreamInStepSharesWhatIsToldOfIt() throws {
        var world = try World(.delta)
        world.publish([fragment("s", world.selected, [try unit("l", port: 1)])])
        world.ask(.listener)
        func isShared() throws -> Bool {
            let (account, group) = (world.account, try #require(world.account.group))
            let listeners = try #require(account.types.first)
            let changes = world.fanOut.store.changes(since: listeners, in: group)
            return listeners.sharedKey(Inventory([], changes: changes)) != nil
        }
        world.serve()
        #expect(try !isShared())
        world.answer()
        #expect(try isShared())
        world.publish([fragment("s", world.selected, [try unit("l", port: 2)])])
        world.publish([fragment("t", world.selected, [try unit("m", port: 3)])])
        #expect(try !isShared())
    }

    /// However requests, answers, rejections and changes fall: each resource is told of once, and when everything is answered the
    /// client is said to have what there is.
    @Test(arguments: Form.allCases, 0..<40) func whatIsToldComesTrue(_ form: Form, _ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var world = try World(form)
        world.ask(.cluster)
        world.ask(.listener)
        for step in 0..<60 {
            let name = "s\(Int.random(in: 0..<6, using: &random))"
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let port = 1000 + (Int(name.dropFirst()) ?? 0)
                world.publish([fragment(name, world.selected, [try unit("l-\(name)", port: port, content: "\(step)")])])
            case 2: world.publish(removing: [name])
            case 3: _ = world.answer(rejection: "l-\(name) is wrong")
            default: _ = world.answer()
            }
            if Bool.random(using: &random) { world.serve() }
            for type in [ResourceType.cluster, .listener] {
                let names = world.statuses(type).map(\.name)
                #expect(Set(names).count == names.count, "seed \(seed) step \(step): \(names)")
            }
        }
        world.serve()
        while world.answer() { world.serve() }
        for type in [ResourceType.cluster, .listener] {
            let group = try #require(world.account.group)
            let there = world.fanOut.store.resources(type, in: group).map(\.name)
            let told = world.statuses(type)
            // A client may reject that something is gone, and keep it.
            let present = told.filter { if case .rejected = $0.state { $0.resource != nil } else { true } }
            #expect(present.map(\.name).sorted() == there, "seed \(seed)")
            for status in told {
                switch status.state {
                case .acknowledged, .rejected: break
                default: Issue.record("seed \(seed): \(status.name) is \(status.state)")
                }
            }
        }
    }

    @Test func theEncodingIsThatOfTheOfficialMessage() throws {
        let listener = resource(.listener, "l")
        for includesContents in [true, false] {
            var encoding = StatusEncoding(includesContents: includesContents)
            encoding.append(ResourceStatus(listener, .acknowledged))
            encoding.append(ResourceStatus(.listener, "r", .rejected("no"), resource: listener))
            encoding.append(ResourceStatus(.endpoint, "e", .absent))
            #expect(encoding.byteCount == encoding.bytes.count)
            var output: [UInt8] = []
            StatusEncoding.appendClient(
                head: try Envoy_Service_Status_V3_ClientConfig.with { $0.node.id = "n" }.serializedBytes(),
                configs: [encoding.bytes, []], to: &output)
            let response = try Envoy_Service_Status_V3_ClientStatusResponse(serializedBytes: output)
            let config = try #require(response.config.first)
            #expect(config.node.id == "n")
            #expect(config.genericXdsConfigs.map(\.name) == ["l", "r", "e"])
            #expect(config.genericXdsConfigs.map(\.configStatus) == [.synced, .error, .synced])
            #expect(config.genericXdsConfigs.map(\.clientStatus) == [.acked, .nacked, .doesNotExist])
            #expect(config.genericXdsConfigs[0].versionInfo == listener.version.description)
            #expect(config.genericXdsConfigs[0].hasXdsConfig == includesContents)
            #expect(!config.genericXdsConfigs[1].hasXdsConfig)
            let error = config.genericXdsConfigs[1].errorState
            #expect(error.details == "no")
            #expect(error.versionInfo == listener.version.description)
            #expect(error.hasFailedConfiguration == includesContents)
            if includesContents {
                #expect(config.genericXdsConfigs[0].xdsConfig.typeURL == ResourceType.listener.typeURL)
                #expect(config.genericXdsConfigs[0].xdsConfig.value == error.failedConfiguration.value)
            }
        }
    }
}
