public import Domain

/// Names an Envoy stream for the life of the process.
public struct StreamID: Hashable, Sendable {
    /// The stream's number.
    public let number: UInt64

    /// Makes the name of stream `number`.
    public init(_ number: UInt64) { self.number = number }
}

/// Names an event loop, on which many streams live.
public struct LoopID: Hashable, Sendable {
    /// The loop's number.
    public let number: Int

    /// Makes the name of loop `number`.
    public init(_ number: Int) { self.number = number }
}

/// What the streams of one loop have to say to the snapshots, since they last did.
public struct LoopRequest: Sendable {
    /// New streams, with the node id that their Envoy gave.
    public var attached: [(stream: StreamID, nodeID: String)] = []
    /// Streams that have ended.
    public var detached: [StreamID] = []
    /// Groups that a stream's state refers to no more.
    public var released: [(stream: StreamID, group: GroupID)] = []
    /// How far streams are, where that has changed.
    public var progressed: [(stream: StreamID, progress: StreamProgress)] = []
    /// What streams' clients rejected that is worth telling.
    public var rejected: [(stream: StreamID, rejection: Rejection)] = []
    /// What streams ask of their group.
    public var fetches: [(stream: StreamID, group: GroupID, fetches: [Fetch])] = []

    /// Makes an empty request.
    public init() {}

    /// Nothing is asked and nothing is told.
    public var isEmpty: Bool {
        attached.isEmpty && detached.isEmpty && released.isEmpty && progressed.isEmpty && rejected.isEmpty && fetches.isEmpty
    }
}

/// What one loop's streams are told: all of it is true of one moment. Updates are to be handed over before answers.
public struct LoopReply: Sendable {
    /// Streams that now belong to a group, or to another one than before.
    public var assignments: [(stream: StreamID, position: Position)] = []
    /// Steps of the groups that have streams on the loop.
    public var updates: [GroupUpdate] = []
    /// Answers to the fetches, in order.
    public var answers: [(stream: StreamID, results: [FetchResult])] = []

    /// Makes a reply that says nothing.
    public init() {}
}

/// What a pod became, as far as it concerns its Envoy.
public struct NodeChange: Sendable, Hashable {
    /// The pod.
    public let key: ObjectKey
    /// The pod's uid; empty where it has none.
    public let uid: String
    /// The selectors of VirtualServices that the pod matches; nil when the pod is gone.
    public let selectors: Set<ScopedSelector>?

    /// Makes a change.
    public init(key: ObjectKey, uid: String, selectors: Set<ScopedSelector>?) {
        self.key = key
        self.uid = uid
        self.selectors = selectors
    }

    var nodeIDs: [String] { uid.isEmpty ? [key.description] : [uid, key.description] }
}
