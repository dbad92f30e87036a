import Glibc

/// A place where bytes from outside come in. Each takes any bytes at all, and may neither crash, nor grow without bound, nor break the
/// rules that it states; libFuzzer looks for bytes that make it (`make fuzz`), and tests run what was found before.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// gRPC's length-prefixed messages, cut anywhere.
    case grpc
    /// A delta stream's requests.
    case delta
    /// A state-of-the-world stream's requests.
    case world
    /// All that a client may send on a connection, from its preface on.
    case http2
    /// A watch's body, in lines or with lengths.
    case watch
    /// A manifest.
    case manifest
    /// A kubeconfig.
    case kubeconfig
    /// Events of pods and VirtualServices, up to what Envoys get of them.
    case virtualservice
    /// Other answers of the API server: reviews of tokens, leases, refusals.
    case answers

    /// Feeds `bytes` to the target.
    public func run(_ bytes: [UInt8]) {
        switch self {
        case .grpc: FramedMessages.run(bytes)
        case .delta: DiscoveryStreams.runDelta(bytes)
        case .world: DiscoveryStreams.runWorld(bytes)
        case .http2: WholeConnection.run(bytes)
        case .watch: WatchBody.run(bytes)
        case .manifest: Files.runManifest(bytes)
        case .kubeconfig: Files.runKubeconfig(bytes)
        case .virtualservice: ChangingObjects.run(bytes)
        case .answers: APIAnswers.run(bytes)
        }
    }
}

/// Pieces of an input, cut at places that the input itself tells.
struct Pieces: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private let sizes: [UInt8]
    private var count = 0

    /// The first byte says how the others are cut: 0 not at all.
    init(_ bytes: [UInt8]) {
        let pattern = bytes.first ?? 0
        sizes = pattern == 0 ? [] : (0..<4).map { 1 &+ (pattern >> ($0 * 2)) & 3 &* 7 }
        rest = bytes.dropFirst()
    }

    mutating func next() -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        let size = sizes.isEmpty ? rest.count : Int(sizes[count % sizes.count])
        count += 1
        defer { rest = rest.dropFirst(size) }
        return Array(rest.prefix(size))
    }
}

/// A rule that a target states; broken, it ends the process, which is what a fuzzer looks for.
func expect(_ condition: Bool, _ rule: String) {
    if condition { return }
    // Said here, because optimised programs do not say what a precondition was.
    let line = Array("broken rule: \(rule)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    preconditionFailure(rule)
}
