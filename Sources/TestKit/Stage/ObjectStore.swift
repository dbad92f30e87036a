/// Where an operator finds the objects of a stage.
public protocol ObjectStore: Sendable {
    /// The options of `serve` that name it.
    var operatorOptions: [String] { get }

    /// Puts the object of the document `text` there under `name`, replacing what was there.
    func write(_ name: String, _ text: String) throws

    /// Removes what was put there under `name`.
    func remove(_ name: String) throws
}

extension ManifestDirectory: ObjectStore {
    public var operatorOptions: [String] { ["--manifests", path] }
}
