/// The namespace and name of a Kubernetes object; the order is by namespace, then name.
public struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The namespace of the object.
    public let namespace: String
    /// The name of the object, unique among its kind in the namespace.
    public let name: String

    /// Makes the key of the object `name` in `namespace`.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }

    public var description: String { "\(namespace)/\(name)" }
}
