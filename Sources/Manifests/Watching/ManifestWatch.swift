import Domain
import Glibc
import Kubernetes
import Logging

/// Watches a directory of manifests, reads what changed and posts the changed objects. Blocks its thread in `run()`, to which all of
/// it belongs.
///
/// A file is read once it is closed or moved in place, and after the directory has been quiet for a moment. If the kernel's queue or the
/// file's status tells after reading that it changed meanwhile, what was read is thrown away; so it is while the file is so young
/// that its status would not tell. The kernel truncates a file a little before it says so: one that has become shorter must stay as it
/// is for a while before it counts.
struct ManifestWatch: ~Copyable {
    /// How long the directory must be quiet before it is read, and how long reading is put off at most.
    struct Settling {
        var quiet = Duration.milliseconds(20)
        var longest = Duration.milliseconds(200)
        /// After lost events nobody knows who is writing.
        var afterOverflow = Duration.seconds(1)
        /// How often everything is compared, for file systems that report nothing and links in the middle of a path.
        var comparison = Duration.seconds(30)
        /// How soon a manifest that could not be read is tried again: for want of descriptors, say, of which no event tells the end.
        var retry = Duration.seconds(1)
        /// A file that nobody closed or wrote to for so long is read nevertheless.
        var abandoned = Duration.seconds(60)
    }

    private let directory: String
    private let defaultNamespace: String
    private let logger: Logger
    private let mailbox: ManifestMailbox
    private let waker: Waker
    private let settling: Settling

    private let inotify: Inotify
    private var table = WatchTable()
    private var virtualServices = ManifestIndex<VirtualService>()
    private var pods = ManifestIndex<Pod>()
    /// The manifests as they were last read; nil for those that could not be.
    private var known: [String: FileSignature?] = [:]
    /// Manifests to look at.
    private var changed: Set<String> = []
    /// Manifests that somebody has begun to write. Left by the event that the file was closed, moved or deleted.
    private var writing: Set<String> = []
    /// Files that have become shorter, as they were first seen to be. Left by staying so, or by changing again.
    private var shorter: [String: (signature: FileSignature, since: ContinuousClock.Instant)] = [:]
    private var needsListing = false
    private var lostEvents = false
    /// Whether a listing left out files that may be just being written: it is repeated soon.
    private var isPostponed = false
    /// What was last said about a path that can't be read, not to repeat it at each comparison.
    private var complaints: [String: String] = [:]
    /// Why manifests could not be read at the last attempt, for the same reason.
    private var unreadable: [String: String] = [:]
    private var lastComparison = ContinuousClock.now

    init(
        directory: String, defaultNamespace: String, mailbox: ManifestMailbox, waker: Waker, logger: Logger,
        settling: Settling = Settling()
    ) throws {
        self.directory = directory
        self.defaultNamespace = defaultNamespace
        self.mailbox = mailbox
        self.waker = waker
        self.logger = logger
        self.settling = settling
        inotify = try Inotify()
    }

    /// Reads everything, then follows the changes until the waker rings. Throws when the directory can't be listed at first.
    consuming func run() throws {
        if let problem = list().first(where: { $0.path == directory }) {
            throw ManifestSourceError("can't list the manifests in \(directory): \(problem.reason)")
        }
        mailbox.post(readFirst())
        while !waker.isAwake {
            let isReported = inotify.wait(waker, timeout: patience)
            guard !waker.isAwake else { return }
            if isReported || hasWork { settle() } else if isPostponed || unreadable.isEmpty { needsListing = true }
            if lastComparison.duration(to: .now) >= settling.comparison { needsListing = true }
            if needsListing { list() }
            changed.formUnion(shorter.keys)
            if !isReported { changed.formUnion(unreadable.keys) }
            let changes = readChanged()
            if !changes.isEmpty { mailbox.post(changes) }
        }
    }

    /// Whether events were taken, while files were read, that nothing was done about yet.
    private var hasWork: Bool { needsListing || lostEvents || !changed.isSubset(of: writing) }

    /// How long to wait for the next event.
    private var patience: Duration {
        if hasWork { return settling.quiet }
        if isPostponed || !shorter.isEmpty { return settling.longest }
        return unreadable.isEmpty ? settling.comparison : settling.retry
    }

    // MARK: - Events

    /// Takes events until there are none for a moment.
    private mutating func settle() {
        let start = ContinuousClock.now
        repeat {
            take(inotify.events())
            if lostEvents { break }
        } while start.duration(to: .now) < settling.longest && inotify.wait(waker, timeout: settling.quiet) && !waker.isAwake
        while lostEvents, !waker.isAwake {
            lostEvents = false
            if inotify.wait(waker, timeout: settling.afterOverflow) { take(inotify.events()) }
            writing = []
            needsListing = true
        }
    }

    private mutating func take(_ events: [InotifyEvent]) {
        for event in events {
            for effect in table.effects(of: event) {
                switch effect {
                case .changed(let path):
                    writing.remove(path)
                    changed.insert(path)
                case .writing(let path): writing.insert(path)
                case .created(let path):
                    if ManifestWatch.isBeingWritten(path) { writing.insert(path) } else { changed.insert(path) }
                case .relist: needsListing = true
                case .overflow: lostEvents = true
                }
            }
        }
    }

    /// Whether a new entry is a file that its writer will close: links to files that exist are complete at once.
    private static func isBeingWritten(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }

    // MARK: - Listing

    /// Compares the directory with what is known, and watches what has to be watched.
    @discardableResult
    private mutating func list() -> [(path: String, reason: String)] {
        needsListing = false
        isPostponed = false
        lastComparison = .now
        let watched = table.roles
        var newDirectories: Set<String> = []
        var current = WatchTable()
        var problems: [(path: String, reason: String)] = []
        func watch(_ path: String, _ change: (inout WatchTable.Role) -> Void) {
            if let watch = inotify.watch(path) {
                current.add(watch, change)
                if watched[watch] == nil { newDirectories.insert(path) }
            } else if errno != ENOENT {
                problems.append((path, "can't be watched, changes are noticed late: \(FileContents.message(errno))"))
            }
        }
        for (directory, name) in WayTo.steps(directory) { watch(directory) { $0.ways.insert(name) } }
        let listing = ManifestListing(directory: directory) { path in watch(path) { $0.directories.insert(path) } }
        for link in listing.links {
            watch(link.targetDirectory) { $0.links[link.targetName, default: []].insert(link.path) }
        }
        problems += listing.problems
        for abandoned in table.roles.keys where current.roles[abandoned] == nil { inotify.remove(abandoned) }
        table = current

        for (path, signature) in listing.files {
            let age = signature?.age ?? .zero
            if age > settling.abandoned { writing.remove(path) }
            // In a directory that wasn't watched when the writer began, nothing tells that it has not finished.
            if known[path] != nil, age < settling.longest, newDirectories.contains(where: { path.hasPrefix($0 + "/") }) {
                isPostponed = true
                continue
            }
            if known[path] != .some(signature) || signature == nil { changed.insert(path) }
        }
        if !isPostponed { changed.formUnion(known.keys.filter { listing.files[$0] == nil }) }
        complain(of: problems)
        return listing.problems
    }

    private mutating func complain(of problems: [(path: String, reason: String)]) {
        let current = Dictionary(problems.map { ($0.path, $0.reason) }) { first, _ in first }
        for (path, reason) in current.sorted(by: { $0.key < $1.key }) where complaints[path] != reason {
            logger.error("\(path): \(reason)\(path == directory ? "; what it held stays in service" : "")")
        }
        complaints = current
    }

    // MARK: - Reading

    /// Reads what there is at the start. Files that were written just then get a moment to be told from what they become.
    private mutating func readFirst() -> ManifestMailbox.Changes {
        var all = readChanged()
        let start = ContinuousClock.now
        while hasWork, start.duration(to: .now) < settling.longest, !waker.isAwake {
            if inotify.wait(waker, timeout: settling.quiet) { take(inotify.events()) }
            let more = readChanged()
            all.virtualServices.merge(more.virtualServices) { $1 }
            all.pods.merge(more.pods) { $1 }
        }
        return all
    }

    /// Reads the manifests to look at, and returns the objects that are different now.
    private mutating func readChanged() -> ManifestMailbox.Changes {
        let paths = changed.subtracting(writing).sorted()
        changed = []
        var files: [ReadFile?] = []
        for path in paths { files.append(read(path)) }
        take(inotify.events())
        var result = ManifestMailbox.Changes()
        var touchedServices: Set<ObjectKey> = []
        var touchedPods: Set<ObjectKey> = []
        // What is gone comes last: an object whose file was renamed is then never without one.
        let inOrder = zip(paths, files).filter { $0.1?.isGone == false } + zip(paths, files).filter { $0.1?.isGone == true }
        for (path, file) in inOrder where !changed.contains(path) && !writing.contains(path) {
            guard let file, isSettled(path, file) else { continue }
            known[path] = file.isGone ? nil : .some(file.signature)
            if file.reason == nil || unreadable[path] != file.reason { log(file.contents, of: path) }
            unreadable[path] = file.reason
            let services = virtualServices.update(
                file: path, declarations: file.contents.virtualServices, isComplete: file.contents.isComplete)
            let pods = self.pods.update(file: path, declarations: file.contents.pods, isComplete: file.contents.isComplete)
            result.virtualServices.merge(services.changes) { $1 }
            result.pods.merge(pods.changes) { $1 }
            touchedServices.formUnion(services.touched)
            touchedPods.formUnion(pods.touched)
        }
        for conflict in virtualServices.conflicts(of: touchedServices) {
            logger.error("\(conflict.diagnostic(kind: .virtualService))")
        }
        for conflict in pods.conflicts(of: touchedPods) { logger.error("\(conflict.diagnostic(kind: .pod))") }
        return result
    }

    /// Whether what was read of `path` with `signature` may count; if not, it is read again.
    private mutating func isSettled(_ path: String, _ file: ReadFile) -> Bool {
        guard let signature = file.signature else {
            shorter[path] = nil
            return true
        }
        var status = stat()
        guard !file.isRacy, stat(path, &status) == 0, FileSignature(status) == signature else {
            changed.insert(path)
            return false
        }
        guard let last = known[path] ?? nil, last.isSameFile(as: signature), signature.size < last.size else {
            shorter[path] = nil
            return true
        }
        guard let seen = shorter[path], seen.signature == signature else {
            shorter[path] = (signature, .now)
            return false
        }
        guard seen.since.duration(to: .now) >= settling.longest else { return false }
        shorter[path] = nil
        return true
    }

    private struct ReadFile {
        let contents: ManifestFile
        let signature: FileSignature?
        /// Whether the signature tells nothing yet.
        var isRacy = false
        let isGone: Bool
        /// Why it can't be read.
        let reason: String?
    }

    /// Nil when nothing is to be learnt: the manifest is as it was, or is gone together with the whole directory.
    private mutating func read(_ path: String) -> ReadFile? {
        do {
            let (text, signature, isRacy) = try FileContents.read(path)
            if known[path] == .some(signature) {
                shorter[path] = nil
                return nil
            }
            // A writer that truncated the file and then found the disk full did not mean to take calls down.
            guard !text.isEmpty else { return unreadable(ManifestWatch.emptied, signature) }
            return ReadFile(
                contents: ManifestFile(text: text, defaultNamespace: defaultNamespace), signature: signature, isRacy: isRacy,
                isGone: false, reason: nil)
        } catch {
            switch error {
            case .gone:
                shorter[path] = nil
                guard access(directory, F_OK) == 0 else { return nil }
                return ReadFile(
                    contents: ManifestFile(text: "", defaultNamespace: defaultNamespace), signature: nil, isGone: true,
                    reason: nil)
            case .unreadable(let reason): return unreadable(reason)
            }
        }
    }

    private func unreadable(_ reason: String, _ signature: FileSignature? = nil) -> ReadFile {
        ReadFile(
            contents: ManifestFile(unreadable: reason, defaultNamespace: defaultNamespace), signature: signature, isGone: false,
            reason: reason)
    }

    private static let emptied =
        "is empty, as a full disk leaves it: remove it, or write a comment into it, to withdraw what it held"

    private func log(_ file: ManifestFile, of path: String) {
        for diagnostic in file.diagnostics {
            let level: Logger.Level = diagnostic.severity == .error ? .error : .warning
            logger.log(level: level, "\(ManifestDiagnostic(file: path, diagnostic))")
        }
        for ignored in file.ignored { logger.debug("\(path): passed over: \(ignored)") }
    }
}

/// The way to a directory through the one above it.
enum WayTo {
    /// The directory above `path`, and if that is missing the nearest one above that exists, with the name in it that leads on.
    /// Empty for paths that have no name to watch, such as `/` and `.`.
    static func steps(_ path: String) -> [(directory: String, name: String)] {
        var rest = Substring(path)
        while true {
            while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
            let slash = rest.lastIndex(of: "/")
            let name = String(slash.map { rest[rest.index(after: $0)...] } ?? rest)
            guard !name.isEmpty, name != ".", name != ".." else { return [] }
            let directory = slash.map { $0 == rest.startIndex ? "/" : String(rest[..<$0]) } ?? "."
            if access(directory, F_OK) == 0 || directory == "/" || directory == "." { return [(directory, name)] }
            rest = Substring(directory)
        }
    }
}
