import Glibc

/// The manifests below a directory: files named `*.yaml`, `*.yml` or `*.json`, in subdirectories as well. Names that begin with a
/// dot are left out, among them the directories behind the links of a mounted ConfigMap.
struct ManifestListing {
    /// A manifest that is a symbolic link: its target may change without an event in the link's directory.
    struct Link: Equatable {
        let path: String
        let targetDirectory: String
        let targetName: String
    }

    private static let maximumDepth = 16
    private static let maximumFiles = 100_000

    /// The manifests, with what tells their states apart; nil for one that could not be examined.
    private(set) var files: [String: FileSignature?] = [:]
    /// The directory itself and those below it.
    private(set) var directories: [String] = []
    private(set) var links: [Link] = []
    /// What could not be listed, and why.
    private(set) var problems: [(path: String, reason: String)] = []

    private var visited: Set<[UInt]> = []

    /// Lists `directory`. `onDirectory` is called with each directory before it is read: a watch that begins there misses nothing.
    init(directory: String, onDirectory: (String) -> Void = { _ in }) {
        list(directory, depth: 0, onDirectory: onDirectory)
    }

    /// Whether a file of that name is a manifest.
    static func isManifest(_ name: some StringProtocol) -> Bool {
        !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json"))
    }

    private mutating func list(_ directory: String, depth: Int, onDirectory: (String) -> Void) {
        var status = stat()
        guard stat(directory, &status) == 0 else { return problems.append((directory, FileContents.message(errno))) }
        // A link to a directory above would lead in circles.
        guard visited.insert([UInt(status.st_dev), UInt(status.st_ino)]).inserted else { return }
        guard depth <= ManifestListing.maximumDepth else {
            return problems.append((directory, "is deeper than \(ManifestListing.maximumDepth) directories"))
        }
        onDirectory(directory)
        guard let stream = opendir(directory) else { return problems.append((directory, FileContents.message(errno))) }
        defer { closedir(stream) }
        directories.append(directory)
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard !name.hasPrefix(".") else { continue }
            examine(directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)", name, depth: depth, onDirectory)
        }
    }

    private mutating func examine(_ path: String, _ name: String, depth: Int, _ onDirectory: (String) -> Void) {
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT == S_IFDIR { return list(path, depth: depth + 1, onDirectory: onDirectory) }
        guard ManifestListing.isManifest(name) else { return }
        guard files.count < ManifestListing.maximumFiles else {
            if problems.last?.path != "…" {
                problems.append(("…", "more than \(ManifestListing.maximumFiles) files are not read"))
            }
            return
        }
        files.updateValue(isThere ? FileSignature(status) : nil, forKey: path)
        var own = stat()
        guard lstat(path, &own) == 0, own.st_mode & S_IFMT == S_IFLNK, let target = realpath(path, nil) else { return }
        defer { free(target) }
        let text = String(cString: target)
        guard let slash = text.lastIndex(of: "/") else { return }
        let directory = slash == text.startIndex ? "/" : String(text[..<slash])
        links.append(Link(path: path, targetDirectory: directory, targetName: String(text[text.index(after: slash)...])))
    }
}
