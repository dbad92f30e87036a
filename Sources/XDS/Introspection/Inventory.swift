/// All resources of one type that the Envoys of a group get, and what became of it since earlier positions.
public struct Inventory: Sendable {
    /// What became of a table since a position.
    public struct Changes: Sendable, Hashable {
        /// Names that are new or have other bytes.
        let changed: Set<String>
        /// Names that are gone.
        let removed: [String]

        var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
    }

    /// The resources by name.
    let resources: [EncodedResource]
    /// The changes since the positions that were asked about; none for a position from which the way is forgotten.
    let changes: [Position: Changes]

    /// Puts `resources` into the order of their names.
    public init(_ resources: [EncodedResource], changes: [Position: Changes]) {
        self.resources = resources.sorted { $0.name < $1.name }
        self.changes = changes
    }

    /// The same resources with the changes since other positions.
    public func with(changes: [Position: Changes]) -> Inventory { Inventory(sorted: resources, changes: changes) }

    private init(sorted resources: [EncodedResource], changes: [Position: Changes]) {
        self.resources = resources
        self.changes = changes
    }
}

extension SnapshotStore {
    /// What became of a group's table since each of the positions of an account, which may be another group's.
    public func changes(since account: TypeAccount, in group: GroupID) -> [Position: Inventory.Changes] {
        account.positions.reduce(into: [:]) { result, position in
            guard let changes = changes(account.type, since: position, in: group) else { return }
            result[position] = Inventory.Changes(
                changed: Set((changes.updated + changes.added).map(\.name)), removed: changes.removed + changes.passing)
        }
    }
}
