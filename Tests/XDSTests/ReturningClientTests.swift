import Testing

@testable import XDS

/// What it costs when clients come back after the server's restart, or come from another replica.
@Suite struct ReturningClientTests {
    @Test(
        arguments: [
            ("00112233445566778899aabbccddeeff", Digest(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)),
            ("00000000000000000000000000000000", .zero),
            ("00112233445566778899AABBCCDDEEFF", nil), ("00112233445566778899aabbccddeef", nil),
            ("00112233445566778899aabbccddeeff0", nil), ("+0112233445566778899aabbccddeeff", nil), ("", nil), ("v1", nil),
        ] as [(String, Digest?)])
    func aVersionHasOneSpelling(text: String, digest: Digest?) {
        #expect(Digest(text) == digest)
        if let digest { #expect(digest.description == text) }
    }

    /// A store with `count` listeners for every Envoy, and the versions of what they get.
    private func store(_ count: Int) throws -> (
        store: SnapshotStore, group: GroupID, versions: (ResourceType) -> [String: String]
    ) {
        var store = SnapshotStore()
        let envoys = try selector(["app": "envoy"])
        for number in 0..<count {
            let unit = try unit("l\(number)", port: number + 1)
            store.setFragment(fragment("call-\(number)", envoys, [unit]))
        }
        store.setNode(key("envoy"), selectors: [envoys])
        _ = store.commit()
        let group = try #require(store.group(of: key("envoy")))
        let held = store
        return (
            store, group,
            { type in
                let resources = held.resources(type, in: group)
                return Dictionary(uniqueKeysWithValues: resources.map { ($0.name, $0.version.description) })
            }
        )
    }

    private func ask(
        _ store: inout SnapshotStore, _ group: GroupID, _ type: ResourceType, _ versions: [String: String]
    ) throws -> (bodies: [[UInt8]], effort: SnapshotEffort) {
        let before = store.effort
        var machine = DeltaDiscoveryStateMachine()
        let position = try #require(store.position(of: group))
        _ = machine.assigned(position)
        if type == .endpoint { _ = machine.received(DeltaRequest(typeURL: ResourceType.cluster.typeURL, subscribe: ["other"])) }
        let names = type == .endpoint ? versions.keys.sorted() : []
        let actions =
            machine.received(
                DeltaRequest(typeURL: type.typeURL, subscribe: names, held: HeldResources(versions))) + machine.graceElapsed()
        var bodies: [[UInt8]] = []
        for case .fetch(let fetch) in actions where fetch.type == type {
            for case .send(_, let body) in machine.answered([store.answer(fetch, in: group)]) { bodies.append(body) }
        }
        return (bodies, store.effort - before)
    }

    @Test(arguments: ResourceType.allCases)
    func whoHasEverythingIsSentNothingAndCostsNothing(type: ResourceType) throws {
        var (store, group, versions) = try store(2000)
        let (bodies, effort) = try ask(&store, group, type, versions(type))
        #expect(bodies.isEmpty)
        #expect(effort == SnapshotEffort(), "no resource is looked at, whatever there is")
    }

    @Test(arguments: ResourceType.allCases)
    func whoHasAnOldVersionIsSentThatOne(type: ResourceType) throws {
        var (store, group, versions) = try store(20)
        var held = versions(type)
        let name = try #require(held.keys.sorted().first)
        held[name] = "an older server's"
        let (bodies, effort) = try ask(&store, group, type, held)
        #expect(bodies.map { DecodedResponse($0).resources.map(\.name) } == [[name]])
        #expect(effort.comparedResources == 20)
    }
}
