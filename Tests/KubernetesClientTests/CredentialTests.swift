import Kubernetes
import Logging
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

/// Requirements 12 and 13: credentials that change while the process runs.
@Suite(.timeLimit(.minutes(2))) struct CredentialTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

    /// A clock and a calendar that a test moves.
    private final class Clock: Sendable {
        private let elapsed = Mutex(Int64(0))
        private let start = ContinuousClock.now
        var now: ContinuousClock.Instant { start + .seconds(seconds) }
        var seconds: Int64 { elapsed.withLock { $0 } }
        func advance(_ seconds: Int64) { elapsed.withLock { $0 += seconds } }
    }

    private let clock = Clock()
    private let log = LogRecorder()

    private func provider(_ change: (inout ClusterConfiguration) -> Void) -> CredentialProvider {
        var cluster = ClusterConfiguration(server: ServerURL(host: "a", port: 1))
        change(&cluster)
        let clock = clock
        return CredentialProvider(cluster: cluster, now: { clock.now }, date: { clock.seconds }, logger: log.logger)
    }

    @Test func `12 a token is read again within a minute, by its path`() async throws {
        let workshop = try Workshop()
        try workshop.write("one", "first\n")
        try workshop.write("two", "second\n")
        try workshop.link("token", to: "one")
        let provider = provider { $0.user.token = .file(workshop.path("token")) }
        #expect(try await provider.credentials().authorization == "Bearer first")
        try workshop.link("token", to: "two")
        #expect(try await provider.credentials().authorization == "Bearer first")
        clock.advance(60)
        #expect(try await provider.credentials().authorization == "Bearer second")
    }

    @Test func `12 the last good token stays while reading fails`() async throws {
        let workshop = try Workshop()
        try workshop.write("token", "good")
        let provider = provider { $0.user.token = .file(workshop.path("token")) }
        _ = try await provider.credentials()
        for bad in ["", "two words"] {
            try workshop.write("token", bad)
            clock.advance(60)
            #expect(try await provider.credentials().authorization == "Bearer good")
        }
        #expect(log.lines.value.count == 2)
        try workshop.write("token", "better")
        clock.advance(60)
        #expect(try await provider.credentials().authorization == "Bearer better")
    }

    @Test func `12 a refused token is read again at once`() async throws {
        let workshop = try Workshop()
        try workshop.write("token", "old")
        let provider = provider { $0.user.token = .file(workshop.path("token")) }
        _ = try await provider.credentials()
        try workshop.write("token", "new")
        #expect(try await provider.credentials(isRefused: true).authorization == "Bearer new")
    }

    @Test(arguments: ["", " \n", "no certificate"]) func `12 an empty CA file is an error`(text: String) async throws {
        let workshop = try Workshop()
        try workshop.write("ca.crt", text)
        let provider = provider { $0.authority = .file(workshop.path("ca.crt")) }
        await #expect(throws: ClusterConfigurationError.self) { try await provider.credentials() }
    }

    @Test func `12 CA files rotate, and an emptied one leaves the last good one in use`() async throws {
        let workshop = try Workshop()
        try workshop.write("ca.crt", Self.certificate)
        let provider = provider { $0.authority = .file(workshop.path("ca.crt")) }
        _ = try await provider.credentials()
        try workshop.write("ca.crt", Self.certificate + Self.certificate)
        clock.advance(60)
        #expect(try await provider.credentials().tls.authority == Array((Self.certificate + Self.certificate).utf8))
        try workshop.write("ca.crt", "")
        clock.advance(60)
        #expect(try await provider.credentials().tls.authority == Array((Self.certificate + Self.certificate).utf8))
    }

    @Test func `12 after a 401 the token is read again and the request sent once more`() async throws {
        let workshop = try Workshop()
        let path = try workshop.write("token", "old")
        let server = try ScriptedServer { request in
            if request.headers["authorization"] == "Bearer new" { return ScriptedServer.Action.answer(200, "{}") }
            if request.target == "/rotates" { _ = try? workshop.write("token", "new") }
            return ScriptedServer.Action.answer(401, PodText.status(401, "Unauthorized"))
        }
        var cluster = ClusterConfiguration(server: ServerURL(scheme: "http", host: "127.0.0.1", port: server.port))
        cluster.user.token = .file(path)
        let client = CurlAPIClient(cluster: cluster, loop: try CurlLoop(), logger: log.logger)
        #expect(try await client.send(APIRequest(.get, "/stays")).status == 401)
        #expect(server.requests.value.count == 2)
        #expect(try await client.send(APIRequest(.get, "/rotates")).status == 200)
        #expect(
            server.requests.value.map { $0.headers["authorization"] } == ["Bearer old", "Bearer old", "Bearer old", "Bearer new"])
    }

    // MARK: - Exec

    /// Runs a script by the shell: a file that was just written can't be run itself while another test's child still has it open.
    private func exec(script: String) -> ExecConfiguration { exec(command: "sh", arguments: [script]) }

    private func exec(command: String, arguments: [String] = []) -> ExecConfiguration {
        ExecConfiguration(
            command: command, arguments: arguments, environment: [(name: "FLAVOUR", value: "sweet")],
            apiVersion: "client.authentication.k8s.io/v1", installHint: "install it from example.org", providesClusterInfo: true)
    }

    private static let status = #""status":{"token":"t-$COUNT-$FLAVOUR","expirationTimestamp":"1970-01-01T00:10:00Z"}"#

    private func counting(_ workshop: Workshop, status: String = status) throws -> String {
        try workshop.script(
            "login",
            """
            echo x >> \(workshop.path("runs")); COUNT=$(wc -l < \(workshop.path("runs")) | tr -d ' ')
            printf '%s' "$KUBERNETES_EXEC_INFO" > \(workshop.path("info")); cat > \(workshop.path("input"))
            cat <<END
            {"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",\(status)}
            END
            """)
    }

    @Test func `13 an exec plugin runs until its token expires, or is refused`() async throws {
        let workshop = try Workshop()
        let command = try counting(workshop)
        let provider = provider { $0.user.exec = exec(script: command) }
        for _ in 0..<3 { #expect(try await provider.credentials().authorization == "Bearer t-1-sweet") }
        clock.advance(595)
        #expect(try await provider.credentials().authorization == "Bearer t-2-sweet")
        #expect(try await provider.credentials(isRefused: true).authorization == "Bearer t-3-sweet")
        let info = try JSONParser.parse(Array(workshop.read("info").utf8))
        #expect(info["kind"]?.text == "ExecCredential")
        #expect(info["spec"]?["interactive"]?.kind == .bool(false))
        #expect(info["spec"]?["cluster"]?["server"]?.text == "https://a:1")
        #expect(try workshop.read("input") == "")
    }

    @Test func `13 many who need a token run the plugin once`() async throws {
        let workshop = try Workshop()
        let command = try counting(workshop, status: #""status":{"token":"t"}"#)
        let provider = provider { $0.user.exec = exec(script: command) }
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await provider.credentials().authorization } }
            for try await authorization in group { #expect(authorization == "Bearer t") }
        }
        #expect(try workshop.read("runs") == "x\n")
    }

    @Test(arguments: [
        ("exit 3", "exited with 3"), ("echo oh no >&2; exit 1", "exited with 1: oh no"),
        ("echo nothing", "wrote no ExecCredential"),
        (
            "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}'",
            "neither a token nor a certificate"
        ),
        (
            "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}'",
            "not of client.authentication.k8s.io/v1"
        ),
        ("kill -9 $$", "exited with 137"), ("yes", "wrote too much"),
    ])
    func `13 a plugin that fails says why`(text: String, message: String) async throws {
        let workshop = try Workshop()
        let command = try workshop.script("login", text)
        let provider = provider { $0.user.exec = exec(script: command) }
        let error = await #expect(throws: APITransportError.self) { try await provider.credentials() }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `13 a missing plugin gives its hint`() async throws {
        let provider = provider { $0.user.exec = exec(command: "no-such-program-anywhere") }
        let error = await #expect(throws: APITransportError.self) { try await provider.credentials() }
        #expect(error?.description.contains("can't be run: No such file or directory; install it from example.org") == true)
    }

    @Test(arguments: ["sleep 1000 & wait", "exec >&- 2>&-; exec sleep 1000"])
    func `13 cancellation kills a plugin that hangs`(text: String) async throws {
        let workshop = try Workshop()
        let command = try workshop.script("login", "echo $$ > \(workshop.path("pid")); \(text)")
        let provider = provider { $0.user.exec = exec(script: command) }
        try await withThrowingTaskGroup { group in
            group.addTask { try await provider.credentials() }
            _ = try await eventually("the plugin to run", within: .seconds(20)) {
                (try? workshop.read("pid"))?.hasSuffix("\n") == true ? .met(()) : .unmet("no pid")
            }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
