import Disturbance
import Foundation
import TestKit
import Testing

extension EndToEndTests {
    /// What live calls notice of everything that happens around them; `make disturbance` measures the same.
    @Suite struct DisturbanceTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path()

        @Test(arguments: Disturbance.allCases, [DiscoveryForm.delta, .stateOfTheWorld]) func `no call disturbed`(
            _ disturbance: Disturbance, _ form: DiscoveryForm
        ) async throws {
            let account = try await disturbance.play(form, root: Self.root)
            #expect(account.violations(of: disturbance.promise).isEmpty, "\(account)")
        }
    }
}
