import Domain
import Kubernetes
import Testing

@testable import ControlPlane

private func key(_ number: Int) -> ObjectKey { ObjectKey(namespace: "calls", name: "call-\(number)") }

extension ConditionCounts {
    fileprivate func all(_ kind: Condition.Kind) -> [Int] { Condition.Truth.allCases.map { count(kind, $0) } }
}

@Suite struct ConditionCountsTests {
    @Test func whatTheLeaderWritesIsCountedOnEveryReplica() {
        var scene = Scene(["a", "b"])
        for number in 0..<3 { scene.cluster.create(key(number)) }
        scene.pass(.milliseconds(50))
        #expect(scene.replicas["b"]?.board.conditions.all(.programmed) == [0, 0, 3], "nothing has been said yet")
        scene.report("a", .of(key(0), in: scene.cluster))
        scene.report("a", .of(key(1), in: scene.cluster, programmed: 0, rejection: "no"))
        scene.report("a", .of(key(2), in: scene.cluster, invalid: [Diagnostic(.error, field: "spec", message: "is wrong")]))
        scene.pass(.seconds(60))
        for name in ["a", "b"] {
            #expect(scene.replicas[name]?.board.conditions.all(.accepted) == [2, 1, 0])
            #expect(scene.replicas[name]?.board.conditions.all(.programmed) == [1, 2, 0])
            #expect(scene.replicas[name]?.board.conditions.all(.conflicted) == [0, 2, 1])
        }
    }

    /// Kept by differences, they are what counting all objects would give, whatever the watch tells.
    @Test(arguments: 0..<20) func differencesAddUp(seed: UInt64) {
        var random = Seeded(state: seed)
        var board = StatusBoard(replica: "a", settings: StatusSettings())
        var shown: [ObjectKey: ObservedObject] = [:]
        for step in 0..<400 {
            let key = key(Int.random(in: 0..<12, using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                // A list that lacks some, and changes others.
                board.observe(.restarted, now: .zero)
                shown = shown.filter { _ in Bool.random(using: &random) }
                for key in shown.keys {
                    let object = object(key, step, &random)
                    shown[key] = object
                    board.observe(.applied(object), now: .zero)
                }
                board.observe(.synced, now: .zero)
            case 1..<6:
                shown[key] = nil
                board.observe(.deleted(key), now: .zero)
            default:
                let object = object(key, step, &random)
                shown[key] = object
                board.observe(.applied(object), now: .zero)
            }
            let expected = Condition.Kind.allCases.map { kind in
                Condition.Truth.allCases.map { truth in
                    shown.values.count { ($0.status.summary?[kind]?.status ?? .unknown) == truth }
                }
            }
            #expect(Condition.Kind.allCases.map(board.conditions.all) == expected)
        }
    }

    private func object(_ key: ObjectKey, _ step: Int, _ random: inout Seeded) -> ObservedObject {
        let conditions = Condition.Kind.allCases.filter { _ in Bool.random(using: &random) }.map { kind in
            ["type": kind.rawValue, "status": Condition.Truth.allCases.randomElement(using: &random)?.rawValue ?? ""]
        }
        return ObservedObject(
            metadata: ObjectMetadata(key: key, uid: "u", resourceVersion: "\(step)"),
            status: Bool.random(using: &random) ? nil : FieldValue(json: ["conditions": conditions]))
    }
}

private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 31)) &* 0x9E37_79B9_7F4A_7C15
    }
}
