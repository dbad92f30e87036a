/// Something awaited did not come in time.
public struct TimedOut: Error, CustomStringConvertible {
    /// What did not come.
    public var what: String
    /// How long it was awaited.
    public var limit: Duration
    /// What was last seen instead, when known.
    public var lastSeen: String?

    /// Makes the error of waiting `limit` for `what`.
    public init(what: String, limit: Duration, lastSeen: String? = nil) {
        self.what = what
        self.limit = limit
        self.lastSeen = lastSeen
    }

    public var description: String {
        "waited \(limit) in vain for \(what)" + (lastSeen.map { "; last seen: \($0)" } ?? "")
    }
}

/// What one look at something outside this process found.
public enum Look<Result: Sendable>: Sendable {
    /// It is as awaited.
    case met(Result)
    /// It isn't yet; the text says what was seen.
    case unmet(String)
}

/// Looks at something outside this process again and again until it is as awaited.
///
/// Errors of `look` count as unmet: a process that is starting refuses connections.
///
/// - Parameters:
///   - what: completes the sentence "waited in vain for …".
///   - interval: the pause between two looks.
/// - Returns: what `look` found.
/// - Throws: `TimedOut` after `limit`, `CancellationError` when the task is cancelled.
public func eventually<Result: Sendable>(
    _ what: String, within limit: Duration, every interval: Duration = .milliseconds(20),
    _ look: @Sendable () async throws -> Look<Result>
) async throws -> Result {
    let deadline = ContinuousClock.now + limit
    var lastSeen: String?
    repeat {
        do {
            switch try await look() {
            case .met(let result): return result
            case .unmet(let seen): lastSeen = seen
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            lastSeen = "\(error)"
        }
        try await Task.sleep(for: interval)
    } while ContinuousClock.now < deadline
    throw TimedOut(what: what, limit: limit, lastSeen: lastSeen)
}
