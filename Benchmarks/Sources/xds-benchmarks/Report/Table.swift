import Measurement

/// Figures as a table for people.
enum Table {
    static func text(_ figures: [Figure]) -> String {
        let head = ["figure", "unit", "median", "range", "target", "", "÷ floor", "÷ peer"]
        let rows = [head] + figures.map(cells)
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { index, cell in
                let space = String(repeating: " ", count: widths[index] - cell.count)
                return index < 2 ? cell + space : space + cell
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func cells(_ figure: Figure) -> [String] {
        let value = figure.value
        return [
            figure.name, figure.unit, number(value.median), "\(number(value.low))–\(number(value.high))",
            figure.target.map { "≤ \(number($0))" } ?? "", figure.isReached.map { $0 ? "✓" : "✗" } ?? "",
            ratio(value.median, figure.floor), ratio(value.median, figure.peer),
        ]
    }

    private static func ratio(_ value: Double, _ base: Double?) -> String {
        guard let base, base > 0 else { return "" }
        return number(value / base)
    }

    /// Three significant digits.
    static func number(_ value: Double) -> String {
        if value == 0 { return "0" }
        var scale = 1.0
        while abs(value) * scale < 100 && scale < 1e6 { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
