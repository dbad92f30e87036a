import Foundation
import FuzzTargets
import Testing

/// What fuzzing began with, and what it has found, in `Corpus/TARGET`.
@Suite struct CorpusTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    private static func inputs(_ target: FuzzTarget) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: root.appending(path: target.rawValue), includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.allCases) func everyInputIsSurvived(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(!inputs.isEmpty, "no seeds")
        for input in inputs { target.run([UInt8](try Data(contentsOf: input))) }
    }

    /// Cheap damage to each seed: it finds in seconds what needs no search.
    @Test(arguments: FuzzTarget.allCases) func damagedInputsAreSurvived(target: FuzzTarget) throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func draw(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, bound)
        }
        for input in try Self.inputs(target) where input.lastPathComponent.hasPrefix("seed-") {
            let seed = [UInt8](try Data(contentsOf: input))
            for _ in 0..<50 {
                var bytes = seed
                for _ in 0...draw(3) where !bytes.isEmpty {
                    switch draw(4) {
                    case 0: bytes[draw(bytes.count)] = UInt8(draw(256))
                    case 1: bytes.removeSubrange(draw(bytes.count)...)
                    case 2: bytes.insert(contentsOf: bytes[draw(bytes.count)...].prefix(draw(64)), at: draw(bytes.count))
                    default: bytes[draw(bytes.count)] ^= UInt8(1 << draw(8))
                    }
                }
                target.run(bytes)
            }
        }
    }
}
