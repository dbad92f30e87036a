/// Accounts of many runs, as a table for people.
public struct FaultTable: Sendable {
    private var runs: [Fault: [FaultAccount]] = [:]

    /// Makes an empty table.
    public init() {}

    /// Adds what one run showed.
    public mutating func add(_ account: FaultAccount, of fault: Fault) {
        runs[fault, default: []].append(account)
    }

    /// The table in Markdown, medians of all runs.
    public var markdown: String {
        var lines = [
            "| fault | what users notice | datagrams lost, of sent | a change meanwhile takes | in step again after | runs |",
            "|-|-|-|-|-|-|",
        ]
        for fault in Fault.allCases {
            guard let accounts = runs[fault] else { continue }
            let meanwhile = median(accounts.compactMap(\.meanwhile))
            let cells = [
                fault.title, fault.notice,
                "\(median(accounts.map(\.calls.others.lost)) ?? 0) of \(median(accounts.map(\.calls.others.sent)) ?? 0)",
                meanwhile.map(text) ?? "waits", median(accounts.map(\.recovery)).map(text) ?? "", "\(accounts.count)",
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private func text(_ duration: Duration) -> String {
        let hundredths = Int(duration / .milliseconds(10))
        return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10) s"
    }

    private func median<Value: Comparable>(_ values: [Value]) -> Value? {
        let sorted = values.sorted()
        return sorted.isEmpty ? nil : sorted[sorted.count / 2]
    }
}
