import Glibc
public import Logging

/// Owns the files that TLS on a port rests on, and makes a new context when they change.
///
/// It looks at the files' contents every few seconds, which sees every way to replace them, a swapped symbolic link above them
/// included. It has a thread of its own, because a file system may keep a reader waiting.
public actor TLSCredentials {
    /// How often the files are looked at. A change is in force after two to three looks.
    public static let interval = Duration.seconds(2)

    private nonisolated let loop: EventLoop
    private let files: TLSFiles
    private let interval: Duration
    private let metrics: TLSMetrics
    private let logger: Logger
    private var changes: TLSFileChanges
    /// The context with which a server begins.
    nonisolated let initial: TLSContext

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Reads the files for the first time.
    ///
    /// - Throws: `TLSFiles.Fault` when they are of no use, `SystemError` when there can be no thread.
    public init(
        _ files: TLSFiles, interval: Duration = TLSCredentials.interval, metrics: TLSMetrics = TLSMetrics(), logger: Logger
    ) throws {
        let content = try files.read()
        initial = try TLSContext(content, of: files, metrics: metrics)
        loop = try EventLoop(name: "tls-files")
        changes = TLSFileChanges(content)
        self.files = files
        self.interval = interval
        self.metrics = metrics
        self.logger = logger
        metrics.certificateExpires(at: initial.expiry)
    }

    /// Whether clients must show a certificate.
    public nonisolated var asksForCertificates: Bool { initial.asksForCertificates }

    /// Looks at the files until cancelled, and calls `use` with each new context.
    func run(_ use: @Sendable (TLSContext) async -> Void) async {
        warnOfExpiry(initial)
        while (try? await Task.sleep(for: interval)) != nil {
            guard let context = look() else { continue }
            await use(context)
            metrics.reloaded()
            metrics.certificateExpires(at: context.expiry)
            logger.notice(
                "new TLS files are in force for connections to come", metadata: ["certificate": "\(files.certificate)"])
            warnOfExpiry(context)
        }
    }

    private func look() -> TLSContext? {
        let looked = Result { () throws(TLSFiles.Fault) in try files.read() }
        guard let changed = changes.looked(looked) else { return nil }
        do {
            let content = try changed.get()
            let context = try TLSContext(content, of: files, metrics: metrics)
            changes.accepted(content)
            return context
        } catch {
            metrics.reloadFailed()
            logger.error(
                "the TLS files have changed and can't be used; those before stay in force", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private func warnOfExpiry(_ context: TLSContext) {
        guard context.expiry <= Int64(time(nil)) else { return }
        logger.error(
            "the server's TLS certificate has expired: no client that checks it will connect",
            metadata: ["certificate": "\(files.certificate)"])
    }
}
