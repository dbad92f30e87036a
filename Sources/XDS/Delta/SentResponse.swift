/// Where a client stands in the parts of one type.
struct ReachedPositions {
    var updates: Position?
    var removals: Position?
}

/// A response that the client has neither acknowledged nor rejected.
struct SentResponse {
    /// What it carried, for the case that it is rejected.
    enum Content {
        case step(Step)
        case own(resources: [EncodedResource], removed: [String])
    }

    let nonce: Nonce
    let content: Content
    /// Where the client stands once it has acknowledged this response, and all before it.
    let reached: ReachedPositions

    var resources: [EncodedResource] {
        switch content {
        case .step(let step): step.carried
        case .own(let resources, _): resources
        }
    }

    var removed: [String] {
        switch content {
        case .step(let step): step.carriedRemovals
        case .own(_, let removed): removed
        }
    }

    var names: [String] { resources.map(\.name) + removed }
}
