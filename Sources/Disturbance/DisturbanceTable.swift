public import TestKit

/// Accounts of many runs, as a table for people.
public struct DisturbanceTable: Sendable {
    private var runs: [Row: [Account]] = [:]

    private struct Row: Hashable {
        var disturbance: Disturbance
        var form: DiscoveryForm
    }

    /// Makes an empty table.
    public init() {}

    /// Adds what one run showed.
    public mutating func add(_ account: Account, of disturbance: Disturbance, _ form: DiscoveryForm) {
        runs[Row(disturbance: disturbance, form: form), default: []].append(account)
    }

    /// The table in Markdown, medians of all runs.
    public var markdown: String {
        var lines = [
            "| what happens | ADS | flows that it may concern | lost of them, each | moved | sessions made anew | lost of all others |"
                + " listeners, clusters modified |",
            "|-|-|-|-|-|-|-|-|",
        ]
        for disturbance in Disturbance.allCases {
            for form in DiscoveryForm.allCases {
                guard let accounts = runs[Row(disturbance: disturbance, form: form)] else { continue }
                let concerned = accounts.map(\.concerned)
                let count = median(concerned.map(\.count))
                let cells: [String] = [
                    disturbance.title, form.title, count == 0 ? "none" : "\(count)",
                    count == 0 ? "" : range(concerned),
                    count == 0 ? "" : "\(median(concerned.map(\.moved)))",
                    "\(median(accounts.map { Int($0.concerned.sessionsMade + $0.others.sessionsMade) }))",
                    "\(median(accounts.map(\.others.lost)))",
                    "\(median(accounts.map { Int($0.listenersModified) })), \(median(accounts.map { Int($0.clustersModified) }))",
                ]
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// What a flow lost: the mean of its run's flows and the most, medians of the runs.
    private func range(_ accounts: [FlowAccount]) -> String {
        let tenths = median(accounts.map { $0.count == 0 ? 0 : ($0.lost * 10 + $0.count / 2) / $0.count })
        let worst = median(accounts.map(\.worst))
        return worst == 0 ? "0" : "\(tenths / 10).\(tenths % 10) (worst \(worst))"
    }

    private func median(_ values: [Int]) -> Int {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

extension DiscoveryForm {
    fileprivate var title: String {
        switch self {
        case .delta: "delta"
        case .stateOfTheWorld: "SotW"
        case .separateDelta: "delta, separate"
        case .separateStateOfTheWorld: "SotW, separate"
        }
    }
}
