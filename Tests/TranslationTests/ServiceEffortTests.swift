import AllocationCount
import Domain
import Resolution
import Testing
import Translation
import XDS

/// From objects and pods to fragments: what is compiled is what changed, whatever else is alive. What is counted is allocations and
/// fragments, not time.
@Suite struct ServiceEffortTests {
    private struct Bench {
        private var index = EndpointIndex(tracksMatches: true)
        private var compiler = ServiceCompiler()

        init(calls: Int) throws {
            index.apply(pod("envoy", "envoy", address: "10.0.0.2"))
            for number in 0..<calls { try apply(number) }
            _ = take()
        }

        mutating func apply(_ number: Int) throws {
            let envoys = try #require(LabelSelector(labels: ["app": "envoy"]))
            let port = try #require(PortNumber(1024 + number))
            // A call has a worker of its own.
            let workers = try #require(LabelSelector(labels: ["app": "worker-\(number)"]))
            let listeners = (0..<4).map { place in
                ListenerIntent(
                    name: "l-\(number)-\(place)", transport: .udp, port: port,
                    cluster: ClusterIntent(
                        name: "c-\(number)-\(place)", serviceDiscovery: .eds,
                        endpoints: [EndpointIntent(name: "e", host: .selector(workers), port: port)]))
            }
            index.apply(
                VirtualService(
                    metadata: ObjectMetadata(key: key(number)), selector: envoys, listeners: listeners))
        }

        mutating func remove(_ number: Int) { index.remove(service: key(number)) }

        mutating func work(_ number: Int, at address: String) {
            index.apply(pod("worker-\(number)", "worker-\(number)", address: address))
        }

        /// Compiles what is new, as the snapshot cache does; returns how many fragments there were.
        mutating func take() -> Int {
            let changes = index.takeChanges()
            var fragments = 0
            var endpoints: [ObjectKey: [Int: [ResolvedEndpoint]]] = [:]
            for change in changes.endpoints { endpoints[change.service, default: [:]][change.listener] = change.endpoints }
            for (service, places) in endpoints where compiler.compile(service, endpoints: places) != nil { fragments += 1 }
            for service in changes.services where !compiler.compile(service).units.isEmpty { fragments += 1 }
            for service in changes.removedServices { compiler.remove(service) }
            _ = index.takeRematched()
            return fragments
        }

        private func key(_ number: Int) -> ObjectKey { ObjectKey(namespace: "default", name: "call-\(number)") }

        private func pod(_ name: String, _ app: String, address: String) -> Pod {
            Pod(
                metadata: ObjectMetadata(key: ObjectKey(namespace: "default", name: name), uid: "uid-\(name)"),
                labels: ["app": app], addresses: IPAddress(address).map { [$0] } ?? [], phase: .running, isReady: true)
        }
    }

    private struct Cost: Equatable {
        var fragments: Int
        var allocations: UInt64
    }

    /// The cost of a call set up, of its worker's coming and moving, and of its end; the least of several, since tables grow at times.
    private func costs(alive: Int) throws -> [Cost] {
        var bench = try Bench(calls: alive)
        func cost(_ change: (inout Bench) throws -> Void) throws -> Cost {
            let before = allocation_count()
            try change(&bench)
            let fragments = bench.take()
            return Cost(fragments: fragments, allocations: allocation_count() - before)
        }
        var least: [Cost] = []
        for round in 0..<5 {
            let costs = try [
                cost { try $0.apply(5000) }, cost { $0.work(5000, at: "10.0.1.\(round * 2)") },
                cost { $0.work(5000, at: "10.0.1.\(round * 2 + 1)") }, cost { $0.remove(5000) },
            ]
            least = least.isEmpty ? costs : zip(least, costs).map { $0.allocations < $1.allocations ? $0 : $1 }
        }
        return least
    }

    @Test func aCallCostsTheSameWhateverIsAlive() throws {
        let (few, many) = (try costs(alive: 2), try costs(alive: 2000))
        #expect(few.map(\.fragments) == many.map(\.fragments))
        for (few, many) in zip(few, many) {
            #expect(many.allocations <= few.allocations + few.allocations / 10 + 10, "\(few) \(many)")
        }
    }
}
