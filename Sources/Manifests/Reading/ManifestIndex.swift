import Domain
import Kubernetes

/// Which objects the files give together, and in which form each is in service.
///
/// Of several files that give the same object, the first by path counts, and in a file the first document. While that document is
/// invalid the last good form of the object stays in service; so it does while its file has a document of which it
/// isn't known which object it is.
struct ManifestIndex<Object: KeyedObject> {
    /// A document that is not used, because another one gives the same object.
    struct Conflict: Equatable {
        let key: ObjectKey
        let file: String
        let line: Int
        let winner: String
    }

    private struct Claim {
        let file: String
        let line: Int
        let object: Object?
        /// Whether the document was not found again, in a file that can't be read completely.
        let isMissing: Bool
    }

    /// The objects in service.
    private(set) var served: [ObjectKey: Object] = [:]
    /// For each object, who gives it: by file, then by line.
    private var claims: [ObjectKey: [Claim]] = [:]
    private var keys: [String: Set<ObjectKey>] = [:]

    /// Replaces what `file` says; nothing and complete when it is gone. Returns the objects whose form in service changed, nil for
    /// those that are gone, and the keys that the file names or named.
    mutating func update(
        file: String, declarations: [ManifestFile.Declaration<Object>], isComplete: Bool
    ) -> (changes: [ObjectKey: Object?], touched: Set<ObjectKey>) {
        let old = keys[file] ?? []
        var new = Set(declarations.map(\.key))
        var missing: [ObjectKey: Int] = [:]
        if !isComplete {
            for key in old.subtracting(new) { missing[key] = claims[key]?.first { $0.file == file }?.line ?? 1 }
        }
        let touched = old.union(new)
        for key in touched { claims[key]?.removeAll { $0.file == file } }
        for declaration in declarations {
            insert(
                Claim(file: file, line: declaration.line, object: declaration.object, isMissing: false), for: declaration.key)
        }
        for (key, line) in missing { insert(Claim(file: file, line: line, object: nil, isMissing: true), for: key) }
        new.formUnion(missing.keys)
        keys[file] = new.isEmpty ? nil : new

        var changes: [ObjectKey: Object?] = [:]
        for key in touched {
            guard let winner = claims[key]?.first else {
                claims[key] = nil
                if served.removeValue(forKey: key) != nil { changes.updateValue(nil, forKey: key) }
                continue
            }
            if let object = winner.object, served[key] != object {
                served[key] = object
                changes.updateValue(object, forKey: key)
            }
        }
        return (changes, touched)
    }

    /// The documents that lose against another one, for the objects `keys` in order.
    func conflicts(of keys: some Sequence<ObjectKey>) -> [Conflict] {
        keys.sorted().flatMap { key -> [Conflict] in
            guard let claims = claims[key]?.filter({ !$0.isMissing }), let winner = claims.first else { return [] }
            return claims.dropFirst().map {
                Conflict(key: key, file: $0.file, line: $0.line, winner: "\(winner.file):\(winner.line)")
            }
        }
    }

    /// The documents that lose against another one, of all objects.
    func allConflicts() -> [Conflict] { conflicts(of: claims.keys) }

    private mutating func insert(_ claim: Claim, for key: ObjectKey) {
        var list = claims[key] ?? []
        let index = list.firstIndex { (claim.file, claim.line) < ($0.file, $0.line) } ?? list.endIndex
        list.insert(claim, at: index)
        claims[key] = list
    }
}

extension ManifestIndex.Conflict {
    /// The conflict as told to the person who wrote the losing document, an object of `kind`.
    func diagnostic(kind: ObjectKind) -> ManifestDiagnostic {
        let message = "\(kind.rawValue) \(key) is given by \(winner) as well, which is used: remove one of the two"
        return ManifestDiagnostic(file: file, Diagnostic(.error, field: "", message: message, line: line))
    }
}
