import Domain
import Kubernetes

/// Which objects are not written for a while because the server forbids it: a role may be missing in one namespace, a policy may
/// forbid one object, and the others are not to wait for them.
struct ForbiddenWrites: Sendable {
    /// So many in a row in one namespace, and all of its objects wait.
    static let namespacePatience = 3
    private static let longestDelay = Duration.seconds(300)

    fileprivate struct Ban: Sendable {
        var delay = RetryDelay(longest: ForbiddenWrites.longestDelay)
        var count = 0
        var until = Duration.zero
    }

    private var objects: [ObjectKey: Ban] = [:]
    private var namespaces: [String: Ban] = [:]

    /// Until when not to write to an object; nil when that is not forbidden now.
    func banned(_ key: ObjectKey, now: Duration) -> Duration? {
        let until = max(objects[key]?.until ?? .zero, namespaces[key.namespace]?.until ?? .zero)
        return until > now ? until : nil
    }

    /// A write was forbidden.
    /// - Parameter random: from 0 to 1.
    mutating func fail(_ key: ObjectKey, now: Duration, random: Double) {
        objects[key, default: Ban()].fail(now, random)
        var namespace = namespaces[key.namespace] ?? Ban()
        namespace.count += 1
        // What was on its way when the others were told to wait says nothing more.
        if namespace.count >= ForbiddenWrites.namespacePatience, namespace.until <= now { namespace.fail(now, random) }
        namespaces[key.namespace] = namespace
    }

    /// A write was done.
    mutating func succeed(_ key: ObjectKey) {
        objects[key] = nil
        namespaces[key.namespace] = nil
    }

    /// The object is gone.
    mutating func forget(_ key: ObjectKey) { objects[key] = nil }
}

extension ForbiddenWrites.Ban {
    fileprivate mutating func fail(_ now: Duration, _ random: Double) { until = now + delay.fail(random: random) }
}

extension WriteOutcome {
    /// Reads a response to a write of status. A 401 concerns every write, not this object: credentials have to be renewed.
    init(toStatus response: APIResponse, hasTests: Bool) {
        self = WriteOutcome(response, hasTests: hasTests)
        if response.status == 401, case .forbidden(let message) = self { self = .unavailable(after: nil, message) }
    }
}
