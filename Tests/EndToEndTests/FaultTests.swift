import Disturbance
import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// What live calls notice when that breaks on which the operator stands; `make faults` plays the longer ones as well.
    @Suite(.enabled("needs network and mount namespaces, and TUN devices") { await Namespaces.areAvailable() })
    struct FaultTests {
        @Test(arguments: Fault.allCases.filter(\.isBrief)) func `no call notices`(_ fault: Fault) async throws {
            if fault == .clockForward || fault == .clockBack {
                let (end, output) = try await ChildProcess.run([Self.root + "scripts/faketime-from-apt"])
                try #require(end == .exited(0), "\(output)")
            }
            let (end, output) = try await ChildProcess.run(
                [try Programs.built("call-faults"), "--runs", "1", "--only", fault.rawValue, "--root", Self.root],
                within: .seconds(110))
            #expect(end == .exited(0), "\(output)")
        }

        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path()
    }

    /// Nothing is left of what came and went; `make leaks` does the same with 100,000 clients and 10,000 calls.
    @Suite(.enabled("needs network and mount namespaces") { await Namespaces.areAvailable() })
    struct LeakTests {
        @Test(arguments: [["--connections", "4000", "--calls", "0"], ["--connections", "0", "--calls", "800"]])
        func `nothing is left`(_ arguments: [String]) async throws {
            let (end, output) = try await ChildProcess.run(
                [try Programs.built("leak-check")] + arguments, within: .seconds(110))
            #expect(end == .exited(0), "\(output)")
        }
    }
}
