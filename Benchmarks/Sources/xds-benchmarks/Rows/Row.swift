/// One row of the table of targets: it builds its world, measures, and returns figures.
protocol Row {
    /// The name by which it is chosen on the command line.
    var name: String { get }
    func run(_ rig: Rig) async throws -> [Figure]
}
