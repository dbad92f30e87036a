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
            streams[streamID] = StreamRecord(machine: machine)
            if isShuttingDown {
                finish(Status(.unavailable, "the server is shutting down: connect again"), on: streamID)
            } else {
                route(head, streamID, endOfStream)
            }
        }
    }

    private func route(_ head: RequestHead, _ streamID: Int32, _ endOfStream: Bool) {
        let request = RPCRequest(path: head.path, metadata: head.metadata, peer: peer.description, client: channel.client)
        switch context.router.route(request, StreamResponder(connection: self, streamID: streamID)) {
        case .reject(let status): finish(status, on: streamID)
        case .accept(let receiver):
            streams[streamID]?.receiver = receiver
            if endOfStream { receiver.receivedEnd() }
        }
    }

    func receive(_ bytes: [UInt8], on streamID: Int32) {
        var rest = bytes[...]
        // No copy of the record is held here: it would make the machine copy its unfinished message with each piece.
        while let before = streams[streamID]?.machine.bufferedByteCount,
            let action = streams[streamID]?.machine.receive(&rest)
        {
            bufferedByteCount += (streams[streamID]?.machine.bufferedByteCount ?? 0) - before
            switch action {
            case .deliver(let message):
                guard messages.admit(1, at: loop.now) else { return session.refuse("too many messages") }
                streams[streamID]?.receiver?.received(message)
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
        guard let action = streams[streamID]?.machine.receiveEnd() else { return }
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
        record.receiver?.closed()
    }

    // MARK: - From the receiver

    func pendingByteCount(of streamID: Int32) -> Int {
        session.pendingByteCount(of: streamID)
    }

    func holdInput(_ isHeld: Bool, on streamID: Int32) {
        guard !isHeld else { return session.holdInput(streamID) }
        session.releaseInput(streamID)
        planWrite()
    }

    func send(_ message: OutboundMessage, on streamID: Int32) {
        guard let action = streams[streamID]?.machine.send() else { return }
        switch action {
        case .ignore: return
        case .sendHeadAndMessage(let fields): session.respond(streamID, fields)
        case .sendMessage: break
        }
        session.send(streamID, message)
        planWrite()
    }

    func finish(_ status: Status, on streamID: Int32) {
        guard let unfinished = streams[streamID]?.machine.bufferedByteCount,
            let action = streams[streamID]?.machine.finish(status)
        else { return }
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
