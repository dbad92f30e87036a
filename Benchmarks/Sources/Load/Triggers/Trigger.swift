/// Makes a change of what the server serves. Round after round the change must differ from the last.
public protocol Trigger: Sendable {
    /// Makes change number `round`, and returns once the server has been told.
    func fire(_ round: Int) async throws
    /// Bytes that are in a response when change number `round` is in it.
    func marker(_ round: Int) -> String
}

/// A text with places for the round: `{round}`, and `{high}` and `{low}`, which make the last two octets of an address.
public struct RoundTemplate: Sendable {
    private let text: String

    /// Makes a template.
    public init(_ text: String) { self.text = text }

    /// The text of `round`.
    public func text(_ round: Int) -> String {
        text.replacing("{round}", with: "\(round)").replacing("{high}", with: "\(round / 250 % 250 + 1)")
            .replacing("{low}", with: "\(round % 250 + 1)")
    }
}
