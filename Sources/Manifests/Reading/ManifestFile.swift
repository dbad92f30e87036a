import Domain
import Kubernetes

/// What one file says: the objects of its documents, and what is wrong with them.
struct ManifestFile {
    /// A document that gives an object, valid or not.
    struct Declaration<Object: KeyedObject> {
        let key: ObjectKey
        /// The line with which the object begins.
        let line: Int
        /// The object; nil when it is invalid.
        let object: Object?
    }

    private(set) var virtualServices: [Declaration<VirtualService>] = []
    private(set) var pods: [Declaration<Pod>] = []
    private(set) var diagnostics: [Diagnostic] = []
    /// Documents of kinds that are none of ours, such as `line 12: v1 ConfigMap`.
    private(set) var ignored: [String] = []
    /// Whether it is known of every document which object it is; if not, an object that is missing here may yet be meant.
    private(set) var isComplete = true

    private let defaultNamespace: String

    /// Reads `text`, YAML or JSON.
    init(text: String, defaultNamespace: String) {
        self.defaultNamespace = defaultNamespace
        for document in YAMLDocument.documents(of: text) {
            switch document.values {
            case .failure(let fault): refuse(fault.message, line: fault.line)
            case .success(let values): for value in values { read(value, at: .root, listed: nil) }
            }
        }
    }

    /// A file whose text can't be had.
    init(unreadable reason: String, defaultNamespace: String) {
        self.defaultNamespace = defaultNamespace
        diagnostics = [Diagnostic(.error, field: "", message: reason)]
        isComplete = false
    }

    // MARK: - Documents

    /// Reads one object, or each item of a list; `listed` is the kind of the items of a typed list, which may leave it out.
    /// Recursion ends with the depth of the tree.
    private mutating func read(_ value: FieldValue, at path: FieldPath, listed: ObjectKind?) {
        guard value.object != nil else { return refuse("is no Kubernetes object: it is not a map", at: path, line: value.line) }
        let kind = value["kind"]?.text ?? listed?.rawValue
        let apiVersion = value["apiVersion"]?.text ?? listed?.apiVersion
        guard let kind, let apiVersion else {
            return refuse("is no Kubernetes object: it needs apiVersion and kind, both text", at: path, line: value.line)
        }
        if let known = ObjectKind(rawValue: kind), known.apiVersion == apiVersion {
            decode(value, as: known, at: path)
        } else if kind == "List", apiVersion == "v1" {
            readItems(of: value, at: path, kind: nil)
        } else if let known = ObjectKind.allCases.first(where: { $0.rawValue + "List" == kind && $0.apiVersion == apiVersion }) {
            readItems(of: value, at: path, kind: known)
        } else if apiVersion == ObjectKind.group || apiVersion.hasPrefix(ObjectKind.group + "/") {
            refuse(
                "is of no known kind: \(ObjectKind.group) has only VirtualService, of apiVersion "
                    + ObjectKind.virtualService.apiVersion, at: path, line: value.line)
        } else {
            ignored.append("line \(value.line ?? 1): \(apiVersion) \(kind)")
        }
    }

    private mutating func readItems(of list: FieldValue, at path: FieldPath, kind: ObjectKind?) {
        let itemsPath = FieldPath.member(path, "items")
        guard let items = list["items"]?.elements else {
            return refuse("must be a list of objects", at: itemsPath, line: list.object?["items"]?.line ?? list.line)
        }
        for (index, item) in items.enumerated() { read(item, at: .element(itemsPath, index), listed: kind) }
    }

    private mutating func decode(_ value: FieldValue, as kind: ObjectKind, at path: FieldPath) {
        switch kind {
        case .virtualService:
            let decoded = VirtualServiceDecoder(defaultNamespace: defaultNamespace).decode(value, at: path)
            declare(decoded, line: value.line, in: \.virtualServices)
        case .pod:
            let decoded = PodDecoder(defaultNamespace: defaultNamespace).decode(value, at: path)
            declare(decoded, line: value.line, in: \.pods)
        }
    }

    private mutating func declare<Object>(
        _ decoded: DecodedObject<Object>, line: Int?, in list: WritableKeyPath<ManifestFile, [Declaration<Object>]>
    ) {
        diagnostics += decoded.diagnostics
        if let key = decoded.metadata?.key {
            self[keyPath: list].append(Declaration(key: key, line: line ?? 1, object: decoded.object))
        } else {
            isComplete = false
        }
    }

    private mutating func refuse(_ message: String, at path: FieldPath = .root, line: Int?) {
        diagnostics.append(Diagnostic(.error, field: path.description, message: message, line: line))
        isComplete = false
    }
}
