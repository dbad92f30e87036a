import Foundation

/// Rewrites a manifest, whole and at once: beside it first, then in its place.
public struct FileTrigger: Trigger {
    private let path: String
    private let content: RoundTemplate
    private let mark: RoundTemplate

    /// Makes a trigger that writes `content` to `path`.
    public init(path: String, content: RoundTemplate, marker: RoundTemplate) {
        self.path = path
        self.content = content
        mark = marker
    }

    public func fire(_ round: Int) throws {
        let beside = (path as NSString).deletingLastPathComponent + "/.\((path as NSString).lastPathComponent).new"
        try Data(content.text(round).utf8).write(to: URL(fileURLWithPath: beside))
        guard rename(beside, path) == 0 else { throw LoadError.system("rename \(beside)", errno) }
    }

    public func marker(_ round: Int) -> String { mark.text(round) }
}
