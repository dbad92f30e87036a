/// A value for each part, or nil. It is found without hashing, and lies where the table does.
struct PartTable<Value> {
    private var clusterUpdates: Value?
    private var endpoints: Value?
    private var listeners: Value?
    private var clusterRemovals: Value?

    subscript(part: Part) -> Value? {
        get {
            switch part {
            case .clusterUpdates: clusterUpdates
            case .endpoints: endpoints
            case .listeners: listeners
            case .clusterRemovals: clusterRemovals
            }
        }
        set {
            switch part {
            case .clusterUpdates: clusterUpdates = newValue
            case .endpoints: endpoints = newValue
            case .listeners: listeners = newValue
            case .clusterRemovals: clusterRemovals = newValue
            }
        }
    }
}

extension PartTable: Sendable where Value: Sendable {}
