import HTTP2
import Logging

/// Bytes of the channel in, pieces for the session out; and whose turn it is.
extension Connection {
    /// Reads in a row before others get a turn.
    private static let readsPerTurn = 4
    /// How few and how many bytes are given to the session before a look at the clock.
    private static let pieceSizes = 32...64 * 1024

    func readInput() {
        guard !isResting else { return }
        isInputBlocked = false
        defer { updateInterest() }
        let turn = Turn(at: .now, processorTime: hasGoneOver ? ProcessorTime.ofThread : nil)
        guard takeBacklog(in: turn) else { return }
        for _ in 0..<Self.readsPerTurn {
            let buffer = loop.readBuffer
            switch channel.read(into: buffer) {
            case .transferred(let count):
                guard receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]), in: turn) else { return }
                if isClosed || (count < buffer.count && !channel.holdsInput) { return }
                if turn.isOver(at: .now) { return end(turn) }
            case .blocked(let readiness):
                isInputBlocked = readiness == .writable
                return
            case .ended: return close(.debug, "the peer closed the connection")
            case .failed(let reason): return close(.debug, reason)
            }
        }
        // The loop reports the descriptor again, but it knows nothing of input inside the channel.
        if channel.holdsInput { loop.submit { self.ready(.readable) } }
    }

    /// Reads nothing until others have had their turn, or longer.
    private func end(_ turn: Turn) {
        isResting = true
        hasGoneOver = true
        let readOn: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.readOn() } }
        if let rest = turn.rest(processorTime: ProcessorTime.ofThread) {
            loop.schedule(after: rest, readOn)
        } else {
            loop.submit(readOn)
        }
    }

    private func readOn() {
        isResting = false
        if case .open = state { readInput() }
    }

    /// Whether there is none left.
    private func takeBacklog(in turn: Turn) -> Bool {
        guard !backlog.isEmpty else { return true }
        let bytes = backlog
        backlog = []
        return bytes.withUnsafeBytes { receive($0, in: turn) } && !isClosed
    }

    /// Gives the session what arrived, piece by piece; when the turn is over, the rest has to wait for the next. Returns whether it doesn't.
    private func receive(_ bytes: UnsafeRawBufferPointer, in turn: Turn) -> Bool {
        var position = 0
        while position < bytes.count, !isClosed {
            let next = min(bytes.count, position + pieceSize)
            receive(UnsafeRawBufferPointer(rebasing: bytes[position..<next]))
            position = next
            let isOver = turn.isOver(at: .now)
            pieceSize = isOver ? max(Self.pieceSizes.lowerBound, pieceSize / 2) : min(Self.pieceSizes.upperBound, pieceSize * 2)
            guard position < bytes.count, session.failure == nil, isOver else { continue }
            backlog = Array(bytes[position...])
            end(turn)
            return false
        }
        return true
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        session.receive(bytes, at: loop.now)
        if session.failure == .badPreface {
            return close(.info, PrefaceGuess(bytes).description)
        }
        if session.openHeaderStreamID != headerStreamID {
            // Another section than last time: its own time begins.
            headerStreamID = session.openHeaderStreamID
            deadlines.received(isPrefaceComplete: session.isPrefaceComplete, isInsideHeaders: false, at: loop.moment)
        }
        deadlines.received(
            isPrefaceComplete: session.isPrefaceComplete, isInsideHeaders: session.isInsideHeaders, at: loop.moment)
        deadlines.awaitsSettings(!session.isSettingsAcknowledged)
        deliverEvents()
        deadlines.hasUnfinishedMessages(bufferedByteCount > 0, at: loop.moment)
        // An acknowledgement leads to nothing, nearly always: to look for output later would find the connection's memory out of the cache.
        if session.needsFlush { planWrite() } else { armTimer() }
    }
}
