public import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle

/// Why a ``ManifestSource`` can't work at all.
public struct ManifestSourceError: Error, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The source of objects for a machine without a cluster: a directory of manifests, read again when files change.
///
/// Two receivers are told in the order of ``WatchEvent``: `restarted`, every object, `synced`; from then on what changes.
/// - An invalid document is logged as `file:line: field: reason`, and the last good form of its object stays in service; so
///   does everything that a file held which can't be read at all, or is empty now. Only an object whose document is really gone is deleted.
/// - A file counts once its writer has closed it or moved it in place.
/// - While the directory itself is missing nothing changes; it may be moved away, replaced by another one or be a symbolic
///   link that is switched over, and what is then there is compared with what was.
///
/// Files are read and watched on a thread of their own. `run()` returns soon after cancellation or graceful shutdown.
public struct ManifestSource: Service {
    private let directory: String
    private let defaultNamespace: String
    private let virtualServices: any WatchEventReceiver<VirtualService>
    private let pods: any WatchEventReceiver<Pod>
    private let logger: Logger

    /// Makes a source of the manifests in `directory` and its subdirectories (see ``ManifestReader``); objects that name no
    /// namespace belong to `defaultNamespace`.
    public init(
        directory: String, defaultNamespace: String = "default", virtualServices: any WatchEventReceiver<VirtualService>,
        pods: any WatchEventReceiver<Pod>, logger: Logger
    ) {
        self.directory = directory
        self.defaultNamespace = defaultNamespace
        self.virtualServices = virtualServices
        self.pods = pods
        self.logger = logger
    }

    /// Reads and follows the directory. Throws ``ManifestSourceError`` when it can't be listed at the start, or not be watched.
    public func run() async throws {
        let mailbox = ManifestMailbox()
        let waker = try Waker()
        try WatchThread.start { [directory, defaultNamespace, logger] in
            let end = Result {
                let watch = try ManifestWatch(
                    directory: directory, defaultNamespace: defaultNamespace, mailbox: mailbox, waker: waker, logger: logger)
                try watch.run()
            }
            mailbox.finish(end)
        }
        await withTaskCancellationOrGracefulShutdownHandler {
            var isFirst = true
            for await _ in mailbox.bell {
                await deliver(mailbox.take(), asList: isFirst)
                isFirst = false
            }
        } onCancelOrGracefulShutdown: {
            waker.wake()
        }
        // A cancelled loop ends before the thread does, which closes its descriptors.
        try await mailbox.end()
    }

    private func deliver(_ changes: ManifestMailbox.Changes, asList: Bool) async {
        await ManifestSource.deliver(changes.pods, to: pods, asList: asList)
        await ManifestSource.deliver(changes.virtualServices, to: virtualServices, asList: asList)
    }

    private static func deliver<Object: KeyedObject>(
        _ changes: [ObjectKey: Object?], to receiver: any WatchEventReceiver<Object>, asList: Bool
    ) async {
        if asList { await receiver.receive(.restarted) }
        for (key, object) in changes.sorted(by: { $0.key < $1.key }) {
            if let object { await receiver.receive(.applied(object)) } else { await receiver.receive(.deleted(key)) }
        }
        if asList { await receiver.receive(.synced) }
    }
}
