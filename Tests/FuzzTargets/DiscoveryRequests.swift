import Domain
import EnvoyAPI
import SwiftProtobuf
import XDS

/// Streams of requests against a small snapshot. The input is a list of messages, each after its length in two bytes.
enum DiscoveryRequests {
    static func runDelta(_ bytes: [UInt8]) {
        var machine = DeltaDiscoveryStateMachine()
        run(bytes) { event, store in
            switch event {
            case .began(let position): answer(machine.assigned(position), &store) { machine.answered($0) }
            case .graceElapsed: answer(machine.graceElapsed(), &store) { machine.answered($0) }
            case .updated(let update): answer(machine.updated(update), &store) { machine.answered($0) }
            case .request(let message):
                guard let request = try? Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: message) else {
                    return
                }
                let decoded = DeltaRequest(
                    typeURL: request.typeURL, subscribe: request.resourceNamesSubscribe,
                    unsubscribe: request.resourceNamesUnsubscribe, held: HeldResources(request.initialResourceVersions),
                    nonce: request.responseNonce, rejection: request.hasErrorDetail ? request.errorDetail.message : nil)
                answer(machine.received(decoded), &store) { machine.answered($0) }
            }
            expect(machine.inFlightCount <= 64 + 8 + 8, "the window is exceeded")
            _ = (machine.progress, machine.isSettled)
        }
    }

    static func runWorld(_ bytes: [UInt8]) {
        var machine = WorldDiscoveryStateMachine()
        run(bytes) { event, store in
            switch event {
            case .began(let position): answer(machine.assigned(position), &store) { machine.answered($0) }
            case .graceElapsed: answer(machine.graceElapsed(), &store) { machine.answered($0) }
            case .updated(let update): answer(machine.updated(update), &store) { machine.answered($0) }
            case .request(let message):
                guard let request = try? Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: message) else { return }
                let decoded = WorldRequest(
                    typeURL: request.typeURL, version: request.versionInfo, names: request.resourceNames,
                    nonce: request.responseNonce, rejection: request.hasErrorDetail ? request.errorDetail.message : nil)
                answer(machine.received(decoded), &store) { machine.answered($0) }
            }
            _ = (machine.progress, machine.isSettled, machine.inFlightCount)
        }
    }

    private enum Event {
        case began(Position)
        case request([UInt8])
        case updated(GroupUpdate)
        case graceElapsed
    }

    private static func run(_ bytes: [UInt8], _ handle: (Event, inout SnapshotStore) -> Void) {
        let node = ObjectKey(namespace: "default", name: "envoy")
        guard let labels = LabelSelector(labels: ["app": "envoy"]) else { return }
        let selector = ScopedSelector(namespace: "default", selector: labels)
        var store = SnapshotStore()
        store.setFragment(fragment("old", selector, content: "1"))
        store.setNode(node, selectors: [selector])
        _ = store.commit()
        guard let group = store.group(of: node), let position = store.position(of: group) else { return }
        var revision = position.revision
        handle(.began(position), &store)
        var rest = bytes[...]
        var count = 0
        while rest.count >= 2, count < 256 {
            let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            handle(.request(Array(rest.prefix(length))), &store)
            rest = rest.dropFirst(length)
            count += 1
            // Between requests the world goes on.
            if count % 3 == 0 {
                store.setFragment(fragment("new", selector, content: "\(count)"))
                if count % 2 == 0 { store.removeFragment(ObjectKey(namespace: "default", name: "old")) }
                _ = store.commit()
                guard let update = store.update(of: group, from: revision) else { continue }
                revision = update.to.revision
                handle(.updated(update), &store)
            }
            if count == 5 { handle(.graceElapsed, &store) }
        }
    }

    private static func fragment(_ name: String, _ selector: ScopedSelector, content: String) -> Fragment {
        let units = (0..<2).compactMap { place -> ListenerUnit? in
            guard let port = PortNumber((name == "old" ? 100 : 200) + place) else { return nil }
            func resource(_ type: ResourceType) -> EncodedResource {
                EncodedResource(type: type, name: "\(name)-\(place)", payload: Array("\(name)-\(place)=\(content)".utf8))
            }
            return ListenerUnit(
                transport: .udp, port: port, listener: resource(.listener), cluster: resource(.cluster),
                assignment: resource(.endpoint))
        }
        return Fragment(
            service: ObjectKey(namespace: "default", name: name), creationSeconds: 0, selector: selector, units: units)
    }

    /// Performs actions until there is nothing more to fetch, which must come to an end.
    private static func answer(
        _ first: [DeltaAction], _ store: inout SnapshotStore, _ answered: ([FetchResult]) -> [DeltaAction]
    ) {
        var actions = first
        for _ in 0..<64 {
            let fetches = actions.compactMap { action -> Fetch? in if case .fetch(let fetch) = action { fetch } else { nil } }
            guard !fetches.isEmpty, let group = store.group(of: ObjectKey(namespace: "default", name: "envoy")) else { return }
            actions = answered(fetches.map { store.answer($0, in: group) })
        }
        expect(false, "fetching does not end")
    }
}
