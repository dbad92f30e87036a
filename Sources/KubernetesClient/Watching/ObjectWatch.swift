import Domain
import Kubernetes
import Logging

/// Owns the state of one list and watch, does the requests that it asks for, and delivers what comes.
actor ObjectWatch<Object: KeyedObject> {
    private let kind: WatchedKind<Object>
    /// Nil for all.
    private let namespace: String?
    private let client: any StreamingAPIClient
    private let receiver: any WatchEventReceiver<Object>
    private let verdicts: (any ObjectVerdictReceiver)?
    private let metrics: WatchMetrics
    private let time: any WatchTime
    private let logger: Logger

    private var machine: WatchStateMachine
    private var validity = ValidityLedger()
    private var specs = SpecMemory()
    /// What was last said about a failure, not to repeat it at each attempt.
    private var complaint: String?
    /// When the running watch last told anything.
    private var latest: ContinuousClock.Instant

    init(
        kind: WatchedKind<Object>, namespace: String?, client: any StreamingAPIClient, receiver: any WatchEventReceiver<Object>,
        verdicts: (any ObjectVerdictReceiver)?, metrics: WatchMetrics, configuration: WatchStateMachine.Configuration,
        time: any WatchTime, logger: Logger
    ) {
        self.kind = kind
        self.namespace = namespace
        self.client = client
        self.receiver = receiver
        self.verdicts = verdicts
        self.metrics = metrics
        self.time = time
        self.logger = logger
        latest = time.now
        machine = WatchStateMachine(configuration: configuration)
    }

    /// Lists and watches until the task is cancelled.
    func run() async {
        var step = machine.begin(draw: time.draw())
        while !Task.isCancelled {
            let (relists, shortWatches) = (machine.relists, machine.shortWatches)
            switch step {
            case .wait(let duration):
                try? await time.sleep(for: duration)
                step = machine.waited(draw: time.draw())
            case .list(let query): step = await list(query)
            case .watch(let query):
                let failure = await watch(query)
                if Task.isCancelled { return }
                step = machine.watchEnded(failure, now: time.now, draw: time.draw())
            }
            metrics.relisted(machine.relists - relists)
            metrics.failed(.short, count: machine.shortWatches - shortWatches)
        }
    }

    // MARK: - List

    private func list(_ query: ListQuery) async -> WatchStateMachine.Step {
        do {
            let response = try await client.send(
                APIRequest(.get, kind.path(namespace: namespace), query: query.parameters, accept: kind.accept))
            metrics.received(bytes: response.body.count)
            guard response.isSuccess else {
                report("list", response.failure)
                return machine.listFailed(.status(response.failure), draw: time.draw())
            }
            let page = try kind.page(response.body, namespace: namespace)
            if query.isFirst { await restarted() }
            for item in page.items { await deliver(item) }
            if page.continueToken.isEmpty { await synced() }
            return machine.pageListed(version: page.version, continueToken: page.continueToken, draw: time.draw())
        } catch {
            guard !Task.isCancelled else { return .wait(.zero) }
            let kind = (error as? APITransportError).map { WatchError($0) } ?? .unreadable
            report("list", "\(error)", kind)
            return machine.listFailed(kind == .unreadable ? .unreadable : .transport, draw: time.draw())
        }
    }

    // MARK: - Watch

    /// Watches until the end, or until one of the deadlines aborts it.
    private func watch(_ query: WatchQuery) async -> WatchStateMachine.Failure? {
        let deadlines = machine.deadlines(of: query)
        return await withTaskGroup(of: WatchStateMachine.Failure??.self) { group in
            group.addTask { .some(await self.follow(query, timeout: deadlines.whole)) }
            group.addTask { await self.watchdog(deadlines.whole, initialEvents: deadlines.initialEvents) }
            defer { group.cancelAll() }
            // A watchdog that was cancelled says nothing.
            while let end = await group.next() {
                if let end { return end }
            }
            return nil
        }
    }

    private func watchdog(_ whole: Duration, initialEvents: Duration?) async -> WatchStateMachine.Failure?? {
        do {
            let start = time.now
            if let initialEvents {
                // A list that still comes may be long: only silence shows that its end will not.
                latest = start
                while machine.isReceivingList {
                    let silence = latest.duration(to: time.now)
                    guard silence < initialEvents else {
                        report("watch", "the initial list did not come to its end: nothing came for \(initialEvents)", .deadline)
                        return .some(.deadline)
                    }
                    try await time.sleep(for: initialEvents - silence)
                }
            }
            try await time.sleep(for: whole - start.duration(to: time.now))
            report("watch", "did not end within \(whole): the connection may be half-open", .deadline)
            return .some(.deadline)
        } catch {
            return nil
        }
    }

    private func follow(_ query: WatchQuery, timeout: Duration) async -> WatchStateMachine.Failure? {
        do {
            let request = APIRequest(.get, kind.path(namespace: namespace), query: query.parameters, accept: kind.accept)
            // The watchdog comes first: whoever gives a transfer up also sees to it that its connection is not used again.
            let stream = try await client.stream(request, timeout: timeout + .seconds(5))
            defer { stream.close() }
            guard stream.status == 200 else {
                var body: [UInt8] = []
                while body.count < 64 << 10, let chunk = try await stream.next() { body += chunk }
                let failure = APIResponse(status: stream.status, headers: stream.headers, body: body).failure
                if query.isList, WatchStateMachine.refusesStreamingList(failure) {
                    // Whether it was really the permission that lacked, the list and the watch that follow will tell.
                    logger.info("\(place): no streaming list (\(failure)); listing in pages")
                } else {
                    report("watch", failure)
                }
                return .status(failure)
            }
            return try await receive(stream, isList: query.isList)
        } catch let error as FrameTooLarge {
            report("watch", "\(error)", .unreadable)
            return .unreadable
        } catch let error as APITransportError {
            report("watch", error.description, WatchError(error))
            return .transport
        } catch is CancellationError {
            return .transport
        } catch {
            report("watch", "\(error)", .unreadable)
            return .unreadable
        }
    }

    private func receive(_ stream: APIStream, isList: Bool) async throws -> WatchStateMachine.Failure? {
        machine.watchOpened(now: time.now)
        metrics.watchStarted()
        defer { metrics.watchEnded() }
        recovered(hasList: !isList)
        let framing = WatchedKind<Object>.framing(contentType: stream[header: "content-type"])
        var splitter = FrameSplitter(framing)
        if isList { await restarted() }
        while let chunk = try await stream.next() {
            metrics.received(bytes: chunk.count)
            latest = time.now
            for bytes in try splitter.append(chunk) {
                try Task.checkCancellation()
                let frame = try kind.frame(bytes, framing: framing, namespace: namespace, memory: &specs)
                metrics.receivedEvent()
                switch machine.received(frame.notice) {
                case .deliver: await deliver(frame)
                case .synced:
                    await synced()
                    recovered(hasList: true)
                case .ignore: break
                case .end(let failure):
                    if case .status(let status) = failure {
                        // That a version expires is in the nature of watches: nothing to tell anybody.
                        if status.isExpired { metrics.failed(.expired) } else { report("watch", status) }
                    }
                    return failure
                }
            }
        }
        return nil
    }

    // MARK: - Delivery

    private func restarted() async {
        validity.restarted()
        // What is gone by now has to be forgotten as well; what is there is told again.
        specs = SpecMemory()
        await receiver.receive(.restarted)
    }

    private func synced() async {
        metrics.listed()
        for verdict in validity.synced() { await verdicts?.receive(verdict) }
        await receiver.receive(.synced)
        recovered(hasList: true)
    }

    private func deliver(_ frame: WatchFrame<Object>) async {
        guard let object = frame.object else { return }
        guard case .deleted = frame.notice else { return await deliver(object) }
        // A deleted object may be stale or partial: only its name counts.
        guard let key = object.metadata?.key else { return }
        if let verdict = validity.isGone(key) { await verdicts?.receive(verdict) }
        await receiver.receive(.deleted(key))
    }

    private func deliver(_ item: DecodedObject<Object>) async {
        guard let metadata = item.metadata else {
            metrics.receivedInvalidObject()
            let reasons = item.diagnostics.map(\.description).joined(separator: "; ")
            return logger.error("one of the \(kind.qualifiedName) can't be read: \(reasons)")
        }
        if let object = item.object {
            if let verdict = validity.isValid(metadata) { await verdicts?.receive(verdict) }
            return await receiver.receive(.applied(object))
        }
        metrics.receivedInvalidObject()
        if let verdict = validity.isInvalid(metadata, item.diagnostics) {
            for diagnostic in item.diagnostics where diagnostic.severity == .error {
                logger.error("\(kind.qualifiedName) \(metadata.key) is not served: \(diagnostic)")
            }
            await verdicts?.receive(verdict)
        }
        await receiver.receive(.deleted(metadata.key))
    }

    // MARK: - Words

    private var place: String { "\(kind.qualifiedName) \(namespace.map { "in namespace \($0)" } ?? "in all namespaces")" }

    private func report(_ verb: String, _ status: APIStatus) {
        let text =
            switch status.code {
            case 403:
                "the API server forbids it: grant the verb \(verb) on \(kind.qualifiedName) to this account (\(status.message))"
            case 401: "the API server does not accept the credentials (\(status.message))"
            case 404:
                "the API server does not know the resource: is its CustomResourceDefinition installed? (\(status.message))"
            default: status.description
            }
        report(verb, text, WatchError(status))
    }

    private func report(_ verb: String, _ text: String, _ error: WatchError) {
        metrics.failed(error)
        let message = "can't \(verb) \(place): \(text)"
        logger.log(level: complaint == message ? .debug : .error, "\(message); trying again")
        complaint = message
    }

    /// A watch runs again, and what it is to follow is complete.
    private func recovered(hasList: Bool) {
        guard hasList, complaint != nil else { return }
        complaint = nil
        logger.info("watching \(place) again")
    }
}
