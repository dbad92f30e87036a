import Synchronization

/// Sends an HTTP request: to an API server, where it edits an object, or to whatever makes the server change.
public final class URLTrigger: Trigger {
    private let client: HTTPClient
    private let method: String
    private let path: RoundTemplate
    private let headers: [String]
    private let body: RoundTemplate
    private let mark: RoundTemplate

    /// Makes a trigger that sends `method` with `body` to `url`.
    public init(
        url: String, method: String, headers: [String] = [], body: RoundTemplate, marker: RoundTemplate
    ) throws {
        let (address, path) = try HTTPClient.parse(url)
        client = HTTPClient(address)
        self.method = method
        self.path = RoundTemplate(path)
        self.headers = headers
        self.body = body
        mark = marker
    }

    public func fire(_ round: Int) throws {
        try client.request(method, path.text(round), headers: headers, body: body.text(round))
    }

    public func marker(_ round: Int) -> String { mark.text(round) }
}
