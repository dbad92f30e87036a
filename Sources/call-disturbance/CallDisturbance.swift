public import ArgumentParser
public import Disturbance
import Foundation
import TestKit

/// Measures what live calls notice of everything that may happen around them, and says whether it is what was promised.
@main
struct CallDisturbance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call-disturbance",
        abstract: "Packets lost and sessions moved, with a real Envoy and 12 flows of 200 packets a second.")

    @Option(help: "How often each disturbance is played; the table has the medians.")
    var runs = 3

    @Option(help: "Only this one, such as workerGone; repeatable.")
    var only: [Disturbance] = []

    @Option(help: "The directory of the package.")
    var root = "."

    @Option(help: "Put the table into this file, between its two marks.")
    var into: String?

    func validate() throws {
        guard (1...100).contains(runs) else { throw ValidationError("--runs must be from 1 to 100") }
    }

    mutating func run() async throws {
        var table = DisturbanceTable()
        var failures = 0
        for disturbance in only.isEmpty ? Disturbance.allCases : only {
            for form in [DiscoveryForm.delta, .stateOfTheWorld] {
                for _ in 0..<runs {
                    let account = try await disturbance.play(form, root: root)
                    table.add(account, of: disturbance, form)
                    let violations = account.violations(of: disturbance.promise)
                    failures += violations.isEmpty ? 0 : 1
                    let verdict = violations.isEmpty ? "ok  " : "FAIL"
                    print("\(verdict) \(disturbance.title), \(form.rawValue)\(violations.map { "\n       \($0)" }.joined())")
                    fflush(nil)
                }
            }
        }
        print(table.markdown)
        if let into { try Self.put(table.markdown, into: into) }
        guard failures == 0 else {
            print("\(failures) runs were not as promised")
            throw ExitCode.failure
        }
    }

    private static func put(_ table: String, into file: String) throws {
        let marks = (begin: "<!-- table: written by `make disturbance` -->", end: "<!-- end of table -->")
        var text = try String(contentsOfFile: file, encoding: .utf8)
        guard let begin = text.range(of: marks.begin),
            let end = text.range(of: marks.end, range: begin.upperBound..<text.endIndex)
        else { throw ValidationError("\(file) has no place for the table, between \(marks.begin) and \(marks.end)") }
        text.replaceSubrange(begin.upperBound..<end.lowerBound, with: "\n\n\(table)\n\n")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

extension Disturbance: ExpressibleByArgument {}
