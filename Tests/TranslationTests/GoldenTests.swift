import Foundation
import Testing
import XDS

/// The cases below `Golden`. With `XDS_OPERATOR_UPDATE_GOLDEN=1` (`scripts/golden --update`) the outputs are written instead.
///
/// `digests.txt` pins the bytes: a changed encoding re-creates every session when an installation is upgraded, so a new digest
/// is a deliberate act that the changelog names.
@Suite struct GoldenTests {
    static let isUpdate = ProcessInfo.processInfo.environment["XDS_OPERATOR_UPDATE_GOLDEN"] == "1"

    @Test func casesAreFound() {
        #expect(GoldenCase.all.count >= 10)
    }

    @Test(arguments: GoldenCase.all) func outputsAreAsCommitted(_ golden: GoldenCase) throws {
        let files = try golden.resources().files()
        let present = try FileManager.default.contentsOfDirectory(atPath: golden.directory.path())
        let orphans = present.filter { $0 != "in.yaml" && files[$0] == nil }
        if GoldenTests.isUpdate {
            for (name, text) in files {
                try text.write(to: golden.directory.appending(path: name), atomically: true, encoding: .utf8)
            }
            for name in orphans { try FileManager.default.removeItem(at: golden.directory.appending(path: name)) }
        } else {
            #expect(orphans.isEmpty, "nothing writes these files: remove them, or run scripts/golden --update")
            for (name, text) in files.sorted(by: { $0.key < $1.key }) {
                let committed = try? String(contentsOf: golden.directory.appending(path: name), encoding: .utf8)
                #expect(committed == text, "\(golden.name)/\(name): if the change is meant, run scripts/golden --update")
            }
        }
    }

    /// The order in which hosts are found does not show in the bytes.
    @Test(arguments: GoldenCase.all) func bytesDoNotDependOnTheOrderOfPods(_ golden: GoldenCase) throws {
        let once = try golden.resources()
        let again = try golden.resources(reversingPods: true)
        #expect(once.clusters.map(\.deltaField) == again.clusters.map(\.deltaField))
        #expect(once.endpoints.map(\.deltaField) == again.endpoints.map(\.deltaField))
    }
}
