import GRPC
import HTTP2
import Synchronization

/// The RPCs of a connection: events of the session in, calls of receivers out, and the way back.
extension Connection {
    // MARK: - From the client

    func open(_ streamID: Int32, _ fields: [HeaderField], _ endOfStream: Bool) {
        let opening = ServerStreamStateMachine.open(
            fields, endOfStream: endOfStream, maximumMessageSize: context.configuration.maximumMessageSize)
        switch opening {
        case .respond(let fields): session.respondAndEnd(streamID, fields)
        case .open(let machine, let head):
            guard let outbound = session.outbound(streamID) else { return }
            streams[streamID] = StreamRecord(outbound, machine)
            if isShuttingDown {
                finish(Status(.unavailable, "the server is shutting down: connect again"), on: streamID)
            } else {
                route(head, streamID, endOfStream)
            }
        }
    }

    private func route(_ head: RequestHead, _ streamID: Int32, _ endOfStream: Bool) {
        let request = RPCRequest(path: head.path, metadata: head.metadata, peer: peer.description, client: channel.client)
        guard let record = streams[streamID] else { return }
        switch context.router.route(request, StreamResponder(connection: self, record: record)) {
        case .reject(let status): finish(status, on: streamID)
        case .accept(let receiver):
            record.receiver = receiver
            if endOfStream { receiver.receivedEnd() }
        }
    }

    func receive(_ bytes: [UInt8], on streamID: Int32) {
        var rest = bytes[...]
        guard let record = streams[streamID] else { return }
        while !record.hasEnded {
            let before = record.machine.bufferedByteCount
            let action = record.machine.receive(&rest)
            bufferedByteCount += record.machine.bufferedByteCount - before
            switch action {
            case .deliver(let message):
                guard messages.admit(1, at: loop.now) else { return session.refuse("too many messages") }
                record.receiver?.received(message)
            case .fail(let status): return finish(status, on: streamID)
            case .wait:
                if let refusal = bufferRefusal { finish(refusal, on: streamID) }
                return
            }
        }
    }

    /// What ends a stream whose unfinished message is one too many.
    private var bufferRefusal: Status? {
        let configuration = context.configuration
        if bufferedByteCount > configuration.maximumBufferedByteCount {
            return Status(.resourceExhausted, "too many unfinished messages on this connection")
        }
        guard bufferedByteCount > configuration.smallBufferedByteCount,
            context.bufferedByteCount.load(ordering: .relaxed) > configuration.maximumTotalBufferedByteCount
        else { return nil }
        return Status(.resourceExhausted, "too many unfinished messages on all connections: try again")
    }

    func receiveEnd(on streamID: Int32) {
        guard let record = streams[streamID], let receiver = record.receiver else { return }
        let unfinished = record.machine.bufferedByteCount
        let action = record.machine.receiveEnd()
        bufferedByteCount -= unfinished
        switch action {
        case .deliverEnd: receiver.receivedEnd()
        case .fail(let status): finish(status, on: streamID)
        case .ignore: break
        }
    }

    func closed(_ streamID: Int32) {
        guard let record = streams.removeValue(forKey: streamID) else { return }
        bufferedByteCount -= record.machine.bufferedByteCount
        record.end()?.closed()
    }

    // MARK: - From the receiver

    func holdInput(_ isHeld: Bool, on streamID: Int32) {
        guard !isHeld else { return session.holdInput(streamID) }
        session.releaseInput(streamID)
        planWrite()
    }

    func send(_ message: OutboundMessage, on record: StreamRecord) {
        guard !record.hasEnded else { return }
        switch record.machine.send() {
        case .ignore: return
        case .sendHeadAndMessage(let fields): session.respond(record.outbound.id, fields)
        case .sendMessage: break
        }
        session.send(record.outbound, message)
        planWrite()
    }

    func finish(_ status: Status, on streamID: Int32) {
        guard let record = streams[streamID] else { return }
        let unfinished = record.machine.bufferedByteCount
        let action = record.machine.finish(status)
        bufferedByteCount -= unfinished
        switch action {
        case .ignore: return
        case .respond(let fields): session.respondAndEnd(streamID, fields)
        case .sendTrailers(let fields):
            session.end(streamID, trailers: fields)
            if session.pendingByteCount(of: streamID) > ConnectionDeadlines.leastTaken { resetUnlessRead(streamID) }
        }
        planWrite()
    }

    /// Trailers wait behind messages. A client that reads other streams, and so is not stalled, must not keep those of this one for ever.
    private func resetUnlessRead(_ streamID: Int32) {
        loop.schedule(after: context.configuration.stallTimeout) { [weak self] in
            self?.assumeIsolated { $0.resetUnread(streamID) }
        }
    }

    private func resetUnread(_ streamID: Int32) {
        guard !isClosed else { return }
        session.cancel(streamID)
        planWrite()
    }
}
