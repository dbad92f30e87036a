/// Counts the changes of one node group's snapshot; comparable only within that group.
public struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    let number: UInt64

    /// The revision of an empty snapshot.
    public static let initial = Revision(number: 0)

    var next: Revision { Revision(number: number &+ 1) }

    public static func < (left: Revision, right: Revision) -> Bool { left.number < right.number }

    public var description: String { String(number) }
}

/// Names a node group for the life of the process; never reused.
public struct GroupID: Hashable, Sendable {
    let number: UInt64
}

extension GroupID: CustomStringConvertible {
    public var description: String { String(number) }
}

/// A state that a group's snapshot has, or had.
public struct Position: Hashable, Sendable, CustomStringConvertible {
    /// The group.
    public let group: GroupID
    /// The group's revision.
    public let revision: Revision

    /// As in logs: the group, and its revision.
    public var description: String { "\(group)@\(revision)" }
}
