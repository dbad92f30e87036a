public import ArgumentParser
public import Disturbance
import Foundation
import TestKit

/// Breaks what the operator stands on, measures what live calls notice, and how long until all is in step again.
@main
struct CallFaults: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call-faults",
        abstract: "Datagrams lost and time to recover, with a real Envoy and 12 flows of 200 datagrams a second.",
        discussion: "Runs in network and mount namespaces of its own: as root, or where users may make namespaces.")

    @Option(help: "How often each fault is played that is over soon, others once; the table has the medians.")
    var runs = 3

    @Option(help: "Only this one, such as networkCut; repeatable.")
    var only: [Fault] = []

    @Option(help: "The directory of the package.")
    var root = FileManager.default.currentDirectoryPath

    @Option(help: "Put the table into this file, between its two marks.")
    var into: String?

    func validate() throws {
        guard (1...100).contains(runs) else { throw ValidationError("--runs must be from 1 to 100") }
    }

    mutating func run() async throws {
        try Namespaces.enter()
        var table = FaultTable()
        var failures = 0
        for fault in only.isEmpty ? Fault.allCases : only {
            for _ in 0..<(fault.isBrief ? runs : 1) {
                do {
                    let account = try await fault.play(root: root)
                    table.add(account, of: fault)
                    let violations = account.violations
                    failures += violations.isEmpty ? 0 : 1
                    print("\(violations.isEmpty ? "ok  " : "FAIL") \(fault.title)\(violations.map { "\n       \($0)" }.joined())")
                } catch {
                    failures += 1
                    print("FAIL \(fault.title)\n\(error)")
                }
                fflush(nil)
            }
        }
        print(table.markdown)
        guard failures == 0 else {
            print("\(failures) runs were not as promised")
            throw ExitCode.failure
        }
        if let into { try Self.put(table.markdown, into: into) }
    }

    private static func put(_ table: String, into file: String) throws {
        let marks = (begin: "<!-- table: written by `make faults` -->", end: "<!-- end of table -->")
        var text = try String(contentsOfFile: file, encoding: .utf8)
        guard let begin = text.range(of: marks.begin),
            let end = text.range(of: marks.end, range: begin.upperBound..<text.endIndex)
        else { throw ValidationError("\(file) has no place for the table, between \(marks.begin) and \(marks.end)") }
        text.replaceSubrange(begin.upperBound..<end.lowerBound, with: "\n\n\(table)\n\n")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

extension Fault: ExpressibleByArgument {}
