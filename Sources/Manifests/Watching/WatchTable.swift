import Glibc

/// Which manifests an event may concern: pure bookkeeping between the kernel's watches and paths.
struct WatchTable {
    /// What a watched directory is good for; one directory may be all of it.
    struct Role: Equatable {
        /// The paths under which the directory holds manifests.
        var directories: Set<String> = []
        /// For names in the directory, the manifests that are links to them.
        var links: [String: Set<String>] = [:]
        /// Names in the directory that are the way to the manifests' directory.
        var ways: Set<String> = []
    }

    /// What to do about an event.
    enum Effect: Equatable {
        /// The manifest may be different, gone or new.
        case changed(String)
        /// The manifest is being written; `changed` follows.
        case writing(String)
        /// An entry that is new, and may be just being written.
        case created(String)
        /// Directories or links have changed: list everything again.
        case relist
        /// Events were lost.
        case overflow
    }

    private(set) var roles: [Int32: Role] = [:]

    /// Adds to the role of `watch`.
    mutating func add(_ watch: Int32, _ change: (inout Role) -> Void) { change(&roles[watch, default: Role()]) }

    /// What `event` means.
    mutating func effects(of event: InotifyEvent) -> [Effect] {
        if event.happened(IN_Q_OVERFLOW) { return [.overflow] }
        guard let role = roles[event.watch] else { return [] }
        if event.happened(IN_IGNORED) { roles[event.watch] = nil }
        if event.happened(IN_IGNORED, IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT) { return [.relist] }
        let appearsOrGoes = event.happened(IN_CREATE, IN_MOVED_TO, IN_MOVED_FROM, IN_DELETE)
        if role.ways.contains(event.name), appearsOrGoes { return [.relist] }
        var paths = role.links[event.name] ?? []
        if !role.directories.isEmpty, !event.name.isEmpty {
            if ManifestListing.isManifest(event.name), !event.happened(IN_ISDIR) {
                paths.formUnion(role.directories.map { $0.hasSuffix("/") ? $0 + event.name : "\($0)/\(event.name)" })
            } else if appearsOrGoes, !event.name.hasPrefix(".") || event.name.hasPrefix("..") {
                // Perhaps a directory or a link to one, such as the `..data` of a mounted ConfigMap.
                return [.relist]
            }
        }
        return paths.sorted().compactMap { path in
            if event.happened(IN_CLOSE_WRITE, IN_MOVED_TO, IN_MOVED_FROM, IN_DELETE) { return .changed(path) }
            if event.happened(IN_CREATE) { return .created(path) }
            if event.happened(IN_MODIFY) { return .writing(path) }
            return event.happened(IN_ATTRIB) ? .changed(path) : nil
        }
    }
}
