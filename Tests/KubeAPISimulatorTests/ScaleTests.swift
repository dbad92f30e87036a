import KubeAPISimulator
import TestKit
import Testing

struct ScaleTests {
    @Test(.timeLimit(.minutes(2))) func holdsFiftyThousandPods() async throws {
        let simulator = try startSimulator()
        let count = 50_000
        let time = ContinuousClock().measure {
            simulator.createUnchecked(
                (0..<count).lazy.map { index in
                    var object = pod("pod-\(index)", labels: ["app": "worker", "shard": .string(String(index % 100))])
                    object["status"] = ["phase": "Running", "podIP": "127.1.\(index / 250).\(index % 250)"]
                    return object
                })
        }
        print("created \(count) pods in \(time)")
        #expect(time < .seconds(60))
        var names = 0
        var token = ""
        repeat {
            let page = simulator.request("GET", pods + "?limit=5000&continue=\(token)").body
            names += page["items"]?.elements?.count ?? 0
            token = page["metadata", "continue"]?.text ?? ""
        } while !token.isEmpty
        #expect(names == count)
        #expect(simulator.request("GET", pods + "?labelSelector=shard%3D7").body["items"]?.elements?.count == count / 100)
    }

    @Test(.timeLimit(.minutes(1))) func fansOutToManyWatchers() async throws {
        let simulator = try startSimulator()
        let clients = try (0..<20).map { _ in
            try StreamClient(simulator.address, pods + "?watch=true&resourceVersion=\(simulator.resourceVersion)")
        }
        simulator.createUnchecked((0..<2000).lazy.map { pod("pod-\($0)") })
        for client in clients {
            _ = try await client.answer.wait(for: "2000 events", within: .seconds(30)) { answer in
                // Counted without making text of it, which happens again at each arrival.
                answer.bytes.count > 2000 * 300 && answer.text.contains("\"pod-1999\"") ? true : nil
            }
        }
    }
}
